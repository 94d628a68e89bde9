import { createHash, randomBytes } from 'node:crypto'

const PREFIX = 'tk_'
const KEY_BYTES = 32

/** `tk_` and 43 characters, 256 random bits. Shown once; only its hash is kept. */
export const generateKey = (): string => `${PREFIX}${randomBytes(KEY_BYTES).toString('base64url')}`

/** Whether a bearer value is meant as a key and not as a token. */
export const isKey = (bearer: string): boolean => bearer.startsWith(PREFIX)

/** SHA-256, hex. The key is random, so a plain hash cannot be guessed back. */
export const hashKey = (key: string): string => createHash('sha256').update(key, 'utf8').digest('hex')

/** What the history calls a key; no person may be called so. */
export const actorOfKey = (id: string): string => `key:${id}`

/** Names by which the history tells the system and keys from people: nobody may sign in or be a member under them. */
export const isReservedSubject = (subject: string): boolean => subject === 'system' || subject.startsWith('key:')

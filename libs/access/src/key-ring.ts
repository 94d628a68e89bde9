import { randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { TerminalError } from '@tocsin/errors'
import { exportJWK, generateKeyPair, type JWK } from 'jose'

/** RFC 3339; after it the key opens nothing more. Absent: until it is retired. */
interface Ending {
  readonly validUntil?: string
}
/** A key pair: of tokens that people and programs carry, of the heads of the history. */
export interface TokenKey extends Ending {
  readonly alg: 'EdDSA'
  readonly privateJwk: JWK
  readonly publicJwk: JWK
}
/** 32 random bytes, base64. */
export interface SecretKey extends Ending {
  readonly secret: string
}
/** One purpose's keys by key id: the active one makes, all of them open. */
export interface Keys<K> {
  readonly active: string
  readonly keys: Readonly<Record<string, K>>
  /** Becomes the active one `at` (RFC 3339): by then every service has read the file that holds it. */
  readonly next?: { readonly id: string; readonly at: string }
}

/** Content of KEYS_FILE: one ring a purpose, so that a leaked one can be replaced alone. */
export interface KeyRing {
  readonly tokens: Keys<TokenKey>
  readonly cursors: Keys<SecretKey>
  readonly cookies: Keys<SecretKey>
  readonly services: Keys<SecretKey>
  readonly fields: Keys<SecretKey>
  /** Signs heads of the history; its public half goes to auditors. */
  readonly history: Keys<TokenKey>
}

const PAIR_RINGS = ['tokens', 'history'] as const
const SECRET_RINGS = ['cursors', 'cookies', 'services', 'fields'] as const
export const KEY_RINGS = [...PAIR_RINGS, ...SECRET_RINGS] as const
export type KeyRingName = (typeof KEY_RINGS)[number]
export const SECRET_BYTES = 32
/** Permission bits of group and others: the file holds every secret of the installation. */
const OTHERS_MASK = 0o077

/** A new ring with one key for each purpose. Write it with mode 0600. */
export async function generateKeyRing(): Promise<KeyRing> {
  const secret = (): Keys<SecretKey> => ({ active: 'k1', keys: { k1: generateSecret() } })
  const pair = async (): Promise<Keys<TokenKey>> => ({ active: 'k1', keys: { k1: await generatePair() } })
  return {
    tokens: await pair(),
    cursors: secret(),
    cookies: secret(),
    services: secret(),
    fields: secret(),
    history: await pair(),
  }
}

const generateSecret = (): SecretKey => ({ secret: randomBytes(SECRET_BYTES).toString('base64') })

async function generatePair(): Promise<TokenKey> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
  return { alg: 'EdDSA', privateJwk: await exportJWK(privateKey), publicJwk: await exportJWK(publicKey) }
}

/** A new key of the kind that the ring holds. */
export const generateKeyFor = async (name: KeyRingName): Promise<TokenKey | SecretKey> =>
  isPairRing(name) ? generatePair() : generateSecret()

/** `found`, the content of a KEYS_FILE of an earlier release, with one new key for each purpose that it lacks. */
export const completeKeyRing = async (found: Partial<KeyRing>): Promise<KeyRing> => ({ ...(await generateKeyRing()), ...found })

/** What the ring makes with at `now` (milliseconds since 1970). */
export const activeAt = ({ active, next }: Keys<unknown>, now: number): string =>
  next !== undefined && Date.parse(next.at) <= now ? next.id : active

/** The keys that still open at `now`. */
export function openingAt<K extends Ending>({ keys }: Keys<K>, now: number): Readonly<Record<string, K>> {
  const ended = ({ validUntil }: K) => validUntil !== undefined && Date.parse(validUntil) <= now
  if (!Object.values(keys).some(ended)) return keys
  return Object.fromEntries(Object.entries(keys).filter(([, key]) => !ended(key)))
}

/** Reads and checks KEYS_FILE; keys that have ended are left out. Throws TerminalError (TOCSIN_CONFIG_INVALID) naming what is wrong, never a key. */
export async function loadKeyRing(path: string): Promise<KeyRing> {
  const refuse = (why: string, cause?: unknown) =>
    new TerminalError(`KEYS_FILE ${path} ${why}`, { code: 'TOCSIN_CONFIG_INVALID', cause })
  const [text, status] = await Promise.all([readFile(path, 'utf8'), stat(path)]).catch((error: unknown) => {
    throw refuse('cannot be read', error)
  })
  if (process.platform !== 'win32' && (status.mode & OTHERS_MASK) !== 0)
    throw refuse('may be read by others: set its mode to 0600')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's message quotes the text, which is secret.
    throw refuse('is not JSON')
  }
  const fault = faultOf(value)
  if (fault !== null) throw refuse(fault)
  const now = Date.now()
  return Object.fromEntries(KEY_RINGS.map((name) => [name, keysAt((value as KeyRing)[name], now)])) as unknown as KeyRing
}

const keysAt = (ring: Keys<Ending>, now: number): Keys<Ending> => {
  const active = activeAt(ring, now)
  return {
    active,
    keys: openingAt(ring, now),
    ...(ring.next === undefined || ring.next.id === active ? {} : { next: ring.next }),
  }
}

function faultOf(value: unknown): string | null {
  if (!isRecord(value)) return 'is not a JSON object'
  for (const ring of KEY_RINGS) {
    const keys = value[ring]
    if (!isRecord(keys) || !isRecord(keys['keys']) || typeof keys['active'] !== 'string')
      return `has no ring "${ring}": make one with: tocsin keys rotate ${ring}`
    if (!Object.hasOwn(keys['keys'], keys['active'])) return `has no active key in ring "${ring}"`
    const next = keys['next']
    if (next !== undefined && !(isRecord(next) && isTime(next['at']) && Object.hasOwn(keys['keys'], String(next['id']))))
      return `has a next key in ring "${ring}" that is not valid`
    for (const [id, key] of Object.entries(keys['keys'])) {
      const valid =
        isRecord(key) &&
        (key['validUntil'] === undefined || isTime(key['validUntil'])) &&
        (isPairRing(ring) ? isTokenKey(key) : isSecretKey(key))
      if (!valid) return `has a key "${id}" in ring "${ring}" that is not valid`
    }
  }
  return null
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isTime = (value: unknown) => typeof value === 'string' && !Number.isNaN(Date.parse(value))
const isPairRing = (ring: string) => (PAIR_RINGS as readonly string[]).includes(ring)
const isTokenKey = (key: Record<string, unknown>) =>
  key['alg'] === 'EdDSA' && isRecord(key['privateJwk']) && isRecord(key['publicJwk'])
const isSecretKey = (key: Record<string, unknown>) =>
  typeof key['secret'] === 'string' && Buffer.from(key['secret'], 'base64').length === SECRET_BYTES

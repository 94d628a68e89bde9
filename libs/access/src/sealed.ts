import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { HttpProblem } from '@tocsin/errors'
import type { KeyRing, Keys, SecretKey } from './key-ring.ts'

/** A place in `alerts`: the next record to be read for the organization. */
export interface StreamPosition {
  readonly organizationId: string
  readonly partition: number
  /** Kafka offset of the next record: everything before it is contained. */
  readonly offset: bigint
}

const ALGORITHM = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16

/** An opaque, authenticated text (base64url) for outside. */
export const sealCursor = (ring: KeyRing, position: StreamPosition): string =>
  seal(ring.cursors, 'stream', JSON.stringify([position.organizationId, position.partition, String(position.offset)]))

/** Throws HttpProblem 400 (INVALID_CURSOR) for anything that sealCursor did not make. Compare the organization yourself. */
export function openCursor(ring: KeyRing, cursor: string): StreamPosition {
  const text = open(ring.cursors, 'stream', cursor)
  if (text === null) throw invalidCursor()
  const [organizationId, partition, offset] = JSON.parse(text) as [string, number, string]
  return { organizationId, partition, offset: BigInt(offset) }
}

/** Place in a list, sealed likewise; a stream cursor does not open as a page cursor and the other way round. */
export const sealPage = (ring: KeyRing, place: Readonly<Record<string, string>>): string =>
  seal(ring.cursors, 'page', JSON.stringify(place))

/** Throws HttpProblem 400 (INVALID_CURSOR) for anything that sealPage did not make. */
export function openPage(ring: KeyRing, cursor: string): Record<string, string> {
  const text = open(ring.cursors, 'page', cursor)
  if (text === null) throw invalidCursor()
  return JSON.parse(text) as Record<string, string>
}

/** `cookie`: of a session; `oidc`: of a sign-in that has begun. */
type CookiePurpose = 'cookie' | 'oidc'

/** Hides and authenticates a cookie's value. */
export const sealCookie = (ring: KeyRing, value: string, purpose: CookiePurpose = 'cookie'): string =>
  seal(ring.cookies, purpose, value)

/** null for anything that sealCookie did not make for the same purpose. */
export const openCookie = (ring: KeyRing, sealed: string, purpose: CookiePurpose = 'cookie'): string | null =>
  open(ring.cookies, purpose, sealed)

const invalidCursor = () =>
  new HttpProblem(400, 'INVALID_CURSOR', 'The cursor is not one of ours. Leave it out to begin at the start.')

/** `keyId.iv ‖ ciphertext ‖ tag`; purpose and key id are authenticated with it. */
function seal(ring: Keys<SecretKey>, purpose: string, text: string): string {
  const key = ring.keys[ring.active]
  if (key === undefined) throw new Error('the key ring has no active key')
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(ALGORITHM, Buffer.from(key.secret, 'base64'), iv)
  cipher.setAAD(Buffer.from(`${purpose}:${ring.active}`))
  const body = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `${ring.active}.${body.toString('base64url')}`
}

function open(ring: Keys<SecretKey>, purpose: string, sealed: string): string | null {
  const dot = sealed.indexOf('.')
  const id = sealed.slice(0, Math.max(dot, 0))
  const key = Object.hasOwn(ring.keys, id) ? ring.keys[id] : undefined
  const body = Buffer.from(sealed.slice(dot + 1), 'base64url')
  if (key === undefined || body.length < IV_BYTES + TAG_BYTES) return null
  const decipher = createDecipheriv(ALGORITHM, Buffer.from(key.secret, 'base64'), body.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(Buffer.from(`${purpose}:${id}`))
  decipher.setAuthTag(body.subarray(-TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(body.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8')
  } catch {
    // Authentication failed: forged, damaged or made for another purpose.
    return null
  }
}

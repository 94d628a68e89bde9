/**
 * Sensitive fields at rest (security.md §4): AES-256-GCM under one data key for each organization, kept in `data_keys`, wrapped by
 * the master key (ring `fields`).
 *
 * 1. A value opens only in its place: organization, table, column and row are authenticated with it.
 * 2. Where an organization's data key was destroyed, no other is ever made, and nothing of it opens again.
 * 3. A key is used only once its row is committed: `load` has a transaction of its own, so call it before yours begins.
 * 4. Rotating the master key changes how data keys are wrapped, never what they are: `rewrap` (upkeep) touches no sealed field.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  randomFillSync,
} from 'node:crypto'
import { type Keys, notFound, SECRET_BYTES, type SecretKey } from '@tocsin/access'
import { TerminalError } from '@tocsin/errors'
import { inOrganization, type Pool } from '@tocsin/postgres'
import { ADD_DATA_KEY, GET_DATA_KEY } from '../sql/protection-sql.ts'

const ALGORITHM = 'aes-256-gcm'
const IV_BYTES = 12
/** Drawn at once: a draw takes 7 to 10 µs of a seal's 30, however few bytes it is for. */
const IVS = 512
const TAG_BYTES = 16
/** First byte of a stored value. */
const CLEAR = 0
const SEALED = 1
/** 32 bytes each; organizations beyond are read again when their turn comes. */
const MAX_CACHED_KEYS = 20_000

/** Ids in either case: they are compared as PostgreSQL gives them. */
export interface FieldPlace {
  readonly organizationId: string
  readonly table: string
  readonly column: string
  readonly rowId: string
}

export class FieldCipher {
  readonly #pool: Pool
  readonly #master: Keys<SecretKey>
  /** Prepared once: a cipher on bare bytes costs three times as much (54 against 17 µs for 1 KB). */
  readonly #keys = new Map<string, KeyObject>()
  readonly #ivs = Buffer.alloc(IVS * IV_BYTES)
  #ivsTaken = IVS

  /** `pool`: of tocsin_api or tocsin_worker. */
  constructor(pool: Pool, master: Keys<SecretKey>) {
    this.#pool = pool
    this.#master = master
  }

  /**
   * Makes the organizations' keys ready for seal and open, and makes those that are missing (3). Where one was destroyed (2) it rejects with
   * HttpProblem 404: whoever asks for a deleted organization is answered as for one that never was.
   */
  async load(organizationIds: Iterable<string>): Promise<void> {
    if ((await this.loadLiving(organizationIds)).size > 0) throw notFound('organization')
  }

  /** The same for work that goes on without them: resolves with the ids, in lower case, of those whose key was destroyed. */
  async loadLiving(organizationIds: Iterable<string>): Promise<ReadonlySet<string>> {
    const missing = [...new Set([...organizationIds].map(lower))].filter((id) => !this.#keys.has(id))
    if (this.#keys.size + missing.length > MAX_CACHED_KEYS) this.#keys.clear()
    const destroyed = new Set<string>()
    for (const id of missing) {
      const key = await this.#read(id)
      if (key === null) destroyed.add(id)
      else this.#keys.set(id, key)
    }
    return destroyed
  }

  seal(place: FieldPlace, text: string): Buffer {
    const iv = this.#freshIv()
    const cipher = createCipheriv(ALGORITHM, this.#keyOf(place.organizationId), iv)
    cipher.setAAD(placeBytes(place)) // (1)
    return Buffer.concat([Buffer.of(SEALED), iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  }

  /** Throws TerminalError (TOCSIN_FIELD_UNREADABLE) for what was not sealed in this place. */
  open(place: FieldPlace, stored: Buffer): string {
    if (stored[0] === CLEAR) return stored.toString('utf8', 1)
    try {
      if (stored[0] !== SEALED || stored.length < 1 + IV_BYTES + TAG_BYTES) throw new Error('it is not sealed')
      return openWith(this.#keyOf(place.organizationId), placeBytes(place), stored.subarray(1))
    } catch (error) {
      throw new TerminalError(
        `${place.table}.${place.column} of row ${place.rowId} cannot be opened: it was damaged, moved, or its key is gone`,
        {
          code: 'TOCSIN_FIELD_UNREADABLE',
          details: { ...place },
          cause: error,
        },
      )
    }
  }

  /**
   * Makes of a text 32 bytes that only who has the organization's data key can make, the same ones each time; for another `purpose`, others.
   * They go with the data key, and rotating the master key does not change them (4).
   */
  digester(organizationId: string, purpose: string): (text: string) => Buffer {
    const key = Buffer.from(hkdfSync('sha256', this.#keyOf(organizationId), '', purpose, SECRET_BYTES))
    return (text) => createHmac('sha256', key).update(text).digest()
  }

  /** Forgets a key that was destroyed elsewhere; the next `load` rejects. */
  forget(organizationId: string): void {
    this.#keys.delete(lower(organizationId))
  }

  /** The same data key wrapped by the active master key (4). */
  rewrap(organizationId: string, masterId: string, wrapped: Buffer): { readonly masterId: string; readonly wrapped: Buffer } {
    return this.#wrap(organizationId, this.#unwrap(organizationId, masterId, wrapped))
  }

  /** Random, never given twice; good until the next call. */
  #freshIv(): Buffer {
    if (this.#ivsTaken === IVS) {
      randomFillSync(this.#ivs)
      this.#ivsTaken = 0
    }
    const from = this.#ivsTaken++ * IV_BYTES
    return this.#ivs.subarray(from, from + IV_BYTES)
  }

  #keyOf(organizationId: string): KeyObject {
    const key = this.#keys.get(lower(organizationId))
    if (key === undefined) throw new Error(`the data key of ${organizationId} was not loaded`)
    return key
  }

  /** null: destroyed. */
  async #read(organizationId: string): Promise<KeyObject | null> {
    const row = await inOrganization(this.#pool, organizationId, async (query) => {
      const find = async () => (await query<{ master_key: string; wrapped: Buffer | null }>(GET_DATA_KEY, [organizationId]))[0]
      const found = await find()
      if (found !== undefined) return found
      const fresh = this.#wrap(organizationId, randomBytes(SECRET_BYTES))
      await query(ADD_DATA_KEY, [organizationId, fresh.masterId, fresh.wrapped])
      return await find() // Of two at once the first one's holds.
    })
    if (row === undefined) throw new Error(`the data key of ${organizationId} is neither there nor can it be made`)
    if (row.wrapped === null) return null
    return createSecretKey(this.#unwrap(organizationId, row.master_key, row.wrapped))
  }

  #wrap(organizationId: string, key: Buffer): { readonly masterId: string; readonly wrapped: Buffer } {
    // Asked for once: the ring may change between two questions.
    const masterId = this.#master.active
    const iv = randomBytes(IV_BYTES)
    const cipher = createCipheriv(ALGORITHM, this.#masterKey(masterId), iv)
    cipher.setAAD(wrapBytes(organizationId))
    return { masterId, wrapped: Buffer.concat([iv, cipher.update(key), cipher.final(), cipher.getAuthTag()]) }
  }

  #unwrap(organizationId: string, masterId: string, wrapped: Buffer): Buffer {
    try {
      return openBytes(this.#masterKey(masterId), wrapBytes(organizationId), wrapped)
    } catch (error) {
      throw new TerminalError(
        `The data key of organization ${organizationId} does not open with master key ${masterId} of KEYS_FILE`,
        {
          code: 'TOCSIN_FIELD_UNREADABLE',
          details: { organizationId, masterId },
          cause: error,
        },
      )
    }
  }

  #masterKey(id: string): Buffer {
    const { keys } = this.#master
    const key = Object.hasOwn(keys, id) ? keys[id] : undefined
    if (key === undefined) throw new Error(`KEYS_FILE has no key "${id}" in ring "fields"`)
    return Buffer.from(key.secret, 'base64')
  }
}

const lower = (id: string): string => id.toLowerCase()
const placeBytes = ({ organizationId, table, column, rowId }: FieldPlace): Buffer =>
  Buffer.from(JSON.stringify([lower(organizationId), table, column, lower(rowId)]))
const wrapBytes = (organizationId: string): Buffer => Buffer.from(JSON.stringify(['data key', organizationId]))

const openWith = (key: KeyObject, aad: Buffer, body: Buffer): string => openBytes(key, aad, body).toString('utf8')

function openBytes(key: KeyObject | Buffer, aad: Buffer, body: Buffer): Buffer {
  const decipher = createDecipheriv(ALGORITHM, key, body.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(aad)
  decipher.setAuthTag(body.subarray(-TAG_BYTES))
  return Buffer.concat([decipher.update(body.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()])
}

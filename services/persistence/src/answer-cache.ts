/**
 * Remembers answers in Redis for a short time, by organization.
 *
 * 1. What is remembered lies under the organization's generation, a random name. A change makes another one, and nothing under the old one is
 *    found again, also what a reader stores who read before the change.
 * 2. In the instance of the change nothing is remembered or found from the change on until Redis has the new generation. Other instances may
 *    answer as before for as long as that takes; where Redis cannot be told, for ANSWER_SECONDS at most.
 * 3. Each answer is sealed with the organization's data key for its organization and name: under any other it does not open. Redis holds
 *    nothing in clear, and nothing opens once the key is destroyed.
 * 4. While Redis is away nothing is remembered and nothing fails.
 */
import { randomUUID } from 'node:crypto'
import type { RedisHandle } from '@tocsin/redis'
import type { FieldCipher } from './protection/field-cipher.ts'

const ANSWER_SECONDS = 300
/** Longer than an answer under it may live. */
const GENERATION_SECONDS = 86_400
const PREFIX = 'tocsin:persistence:'

export class AnswerCache {
  readonly #redis: RedisHandle
  readonly #cipher: FieldCipher
  readonly #prefix: string
  /** Organizations of which Redis was not told yet, with the last change that it must hear of (2). */
  readonly #untold = new Map<string, symbol>()

  constructor(redis: RedisHandle, cipher: FieldCipher, prefix = PREFIX) {
    this.#redis = redis
    this.#cipher = cipher
    this.#prefix = prefix
  }

  /** `read`'s answer, or what it said last; `null` and `undefined` are not remembered. `name` says all that the answer depends on. */
  async remember<T>(organizationId: string, name: string, read: () => Promise<T>): Promise<T> {
    await this.#cipher.load([organizationId])
    const generation = await this.#generation(organizationId)
    if (generation === null) return read()
    const key = `${this.#prefix}${organizationId}:${generation}:${name}`
    const place = { organizationId, table: 'answers', column: name, rowId: generation }
    const stored = await this.#redis.attempt((redis) => redis.getBuffer(key)).catch(() => null)
    if (stored !== null && !this.#untold.has(organizationId)) {
      const answer = this.#opened<T>(place, stored)
      if (answer !== undefined) return answer
    }
    const answer = await read()
    if (answer === null || answer === undefined || this.#untold.has(organizationId)) return answer
    const sealed = this.#cipher.seal(place, JSON.stringify(answer)) // (3)
    await this.#redis.attempt((redis) => redis.set(key, sealed, 'EX', ANSWER_SECONDS)).catch(() => null) // (4)
    return answer
  }

  /** To be called after a change, before anybody is told of it. Never rejects. */
  async changed(organizationIds: Iterable<string>): Promise<void> {
    const ids = [...new Set(organizationIds)]
    const change = Symbol('change')
    for (const id of ids) this.#untold.set(id, change)
    await this.#tell(ids)
  }

  async #tell(ids: readonly string[]): Promise<void> {
    const changes = ids.map((id) => [id, this.#untold.get(id)] as const)
    const told = await this.#redis
      .attempt(async (redis) => {
        const pipeline = redis.pipeline()
        for (const id of ids) pipeline.set(this.#generationKey(id), randomUUID(), 'EX', GENERATION_SECONDS)
        const results = await pipeline.exec()
        return results?.every(([error]) => error === null) ?? false
      })
      .catch(() => false)
    // A later change tells for itself.
    if (told) for (const [id, change] of changes) if (this.#untold.get(id) === change) this.#untold.delete(id)
  }

  /** null: nothing may be remembered now. */
  async #generation(organizationId: string): Promise<string | null> {
    if (this.#untold.has(organizationId)) await this.#tell([organizationId])
    if (this.#untold.has(organizationId)) return null
    const key = this.#generationKey(organizationId)
    return this.#redis
      .attempt(async (redis) => {
        const known = await redis.get(key)
        if (known !== null) return known
        // Of two at once the first one's holds.
        await redis.set(key, randomUUID(), 'EX', GENERATION_SECONDS, 'NX')
        return redis.get(key)
      })
      .catch(() => null)
  }

  #generationKey(organizationId: string): string {
    return `${this.#prefix}${organizationId}:generation`
  }

  #opened<T>(place: Parameters<FieldCipher['open']>[0], stored: Buffer): T | undefined {
    try {
      return JSON.parse(this.#cipher.open(place, stored)) as T
    } catch {
      // Not ours, or of a key that is gone: as if it were not there.
      return undefined
    }
  }
}

/**
 * Turns records of `alerts` into changes with both halves joined.
 *
 * 1. Changes of an organization come out in log order, also while one of them waits for persistence.
 * 2. Persistence is asked only when a half is missing that cannot be known otherwise; it answers or fails within its limit.
 * 3. Nothing waits for persistence for long: what cannot be joined goes out as partial.
 * 4. What was erased is masked in all that is still held of the alert, changes that were told before included.
 */
import type { AlertErased, AlertWithEvidence } from '@tocsin/contracts'
import type { AlertCache } from './alert-cache.ts'
import { type AlertRecord, alertIdOf, type HalfRecord, organizationOf, type Place } from './alert-record.ts'
import { type Change, type Facets, facetsOf } from './change.ts'
import { apply, type Halves, halvesOf, join, maskHalves, merge, NOTHING, untouched } from './halves.ts'

/** More waiting records than this for one organization, and persistence is not asked any more until they are gone (3). */
const MAX_WAITING = 1_000

export type Lookup =
  | { readonly kind: 'found'; readonly alert: AlertWithEvidence }
  /** Persistence has no such alert: nobody can have acted on it. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'away' }

interface Waiting {
  readonly place: Place
  readonly record: AlertRecord
}

export class Joiner {
  readonly #waiting = new Map<string, Waiting[]>()
  readonly #cache: AlertCache
  readonly #lookup: (organizationId: string, alertId: string) => Promise<Lookup>
  readonly #emit: (change: Change) => void
  readonly #forget: (organizationId: string, alertId: string) => void
  #idle: (() => void)[] = []

  /** `emit` is called synchronously from `accept` whenever nothing has to be asked. `lookup` never rejects. */
  constructor(deps: {
    readonly cache: AlertCache
    readonly lookup: (organizationId: string, alertId: string) => Promise<Lookup>
    readonly emit: (change: Change) => void
    /** Masks the alert in changes that can still be read. */
    readonly forget: (organizationId: string, alertId: string) => void
  }) {
    this.#cache = deps.cache
    this.#lookup = deps.lookup
    this.#emit = deps.emit
    this.#forget = deps.forget
  }

  accept(place: Place, record: AlertRecord): void {
    const organizationId = organizationOf(record)
    const waiting = this.#waiting.get(organizationId)
    if (waiting) {
      waiting.push({ place, record })
      return
    }
    if (record.half === 'none') {
      this.#erase(place, record.erased)
      return
    }
    const halves = this.#known(record)
    if (this.#enough(halves, place, record)) this.#finish(this.#settled(halves, record), place, record)
    else {
      this.#waiting.set(organizationId, [{ place, record }])
      void this.#drain(organizationId)
    }
  }

  /** Offset of the first record of the organization that is not out yet. */
  firstWaiting(organizationId: string): bigint | undefined {
    return this.#waiting.get(organizationId)?.[0]?.place.offset
  }

  /** Resolves when nothing waits. */
  whenIdle(): Promise<void> {
    return this.#waiting.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve))
  }

  async #drain(organizationId: string): Promise<void> {
    const waiting = this.#waiting.get(organizationId) as Waiting[]
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const { place, record } = next
      if (record.half === 'none') {
        this.#erase(place, record.erased)
        waiting.shift()
        continue
      }
      let halves = this.#known(record)
      if (!this.#enough(halves, place, record) && waiting.length <= MAX_WAITING) {
        const answer = await this.#lookup(organizationId, alertIdOf(record))
        if (answer.kind !== 'away') halves = answer.kind === 'found' ? merge(halves, halvesOf(answer.alert)) : untouched(halves)
        this.#finish(halves, place, record, answer.kind === 'found')
      } else {
        this.#finish(this.#enough(halves, place, record) ? this.#settled(halves, record) : halves, place, record)
      }
      waiting.shift()
    }
    this.#waiting.delete(organizationId)
    if (this.#waiting.size > 0) return
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  #known(record: AlertRecord): Halves {
    return this.#cache.get(organizationOf(record), alertIdOf(record)) ?? NOTHING
  }

  /** Whether the record and what is held make a whole alert (2). */
  #enough(halves: Halves, place: Place, record: HalfRecord): boolean {
    if (record.half === 'status') return halves.figures !== null && (halves.status !== null || record.change.version === 1)
    if (halves.status !== null) return true
    // Every status record since the alert was created would be held here, and there is none (alert-cache.ts, 1).
    const createdAt = Math.min(Date.parse(record.figures.createdAt), place.appendTime)
    return halves.loose === null && createdAt > this.#cache.untouchedSince(place.partition)
  }

  /** Fills in the status nobody has touched, where `#enough` has found that so. */
  #settled(halves: Halves, record: HalfRecord): Halves {
    return record.half === 'figures' ? untouched(halves) : halves
  }

  /** What was told of it before is not told again either: `forget` (4). */
  #erase(place: Place, { organizationId, id: alertId, reason }: AlertErased): void {
    const held = this.#cache.get(organizationId, alertId)
    this.#forget(organizationId, alertId)
    const halves = maskHalves(held ?? NOTHING)
    this.#cache.put(organizationId, alertId, { halves, partition: place.partition, appendTime: place.appendTime })
    const joined = join(halves)
    const alert = { id: alertId, organizationId, ...joined.alert }
    this.#emit({
      organizationId,
      partition: place.partition,
      offset: place.offset,
      at: place.appendTime,
      alertId,
      created: false,
      before: beforeOf(held, false),
      after: facetsOf(alert),
      ...(reason !== 'erasure' ? { gone: true as const } : {}),
      userId: undefined,
      partial: joined.partial,
      alert: JSON.stringify(alert),
    })
  }

  /** `fetched`: persistence may be ahead of the log's reader, and then the record is stale but still has to be told once. */
  #finish(halves: Halves, place: Place, record: HalfRecord, fetched = false): void {
    const organizationId = organizationOf(record)
    const alertId = alertIdOf(record)
    const held = this.#cache.get(organizationId, alertId)
    const applied = apply(halves, record)
    if (applied.kind === 'stale' && !fetched) return
    const after = applied.kind === 'newer' ? applied.halves : halves
    this.#cache.put(organizationId, alertId, { halves: after, partition: place.partition, appendTime: place.appendTime })
    const joined = join(after)
    const alert = { id: alertId, organizationId, ...joined.alert }
    const created = record.type === 'alert.created'
    this.#emit({
      organizationId,
      partition: place.partition,
      offset: place.offset,
      at: place.appendTime,
      alertId,
      created,
      before: beforeOf(held, created),
      after: facetsOf(alert),
      userId: record.half === 'status' && record.change.actor !== 'system' ? record.change.actor : undefined,
      partial: joined.partial,
      alert: JSON.stringify(alert),
    })
  }
}

function beforeOf(held: Halves | undefined, created: boolean): Facets | null | undefined {
  if (held !== undefined) return facetsOf(join(held).alert)
  return created ? null : undefined
}

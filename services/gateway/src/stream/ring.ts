/**
 * The last changes of all organizations, in memory: what sockets read and resume from.
 *
 * 1. At most `maxBytes` (an estimate that is never below the text's size) and `maxAgeMs` old; the oldest go first.
 * 2. Changes of an organization are in log order. Whatever a reader missed is known: `read` answers `lost`, never a gap.
 */
import { maskAlert } from '@tocsin/access'
import type { Alert } from '@tocsin/contracts'
import type { Change } from './change.ts'

/** Text is at most two bytes a character; the rest is for the object itself. */
const OBJECT_BYTES = 400
const COMPACT_FROM = 64

interface Lane {
  changes: Change[]
  /** Index of the oldest change that is still held. */
  head: number
}

export type RingRead = { readonly kind: 'changes'; readonly changes: readonly Change[] } | { readonly kind: 'lost' }

const maskText = (alert: string): string => JSON.stringify(maskAlert(JSON.parse(alert) as Partial<Alert>))
export const bytesOf = (change: Change): number => change.alert.length * 2 + OBJECT_BYTES

export class Ring {
  readonly #lanes = new Map<string, Lane>()
  /** Next offset after the newest evicted change of an organization. */
  readonly #floors = new Map<string, bigint>()
  /** First offset of a partition that was read at all. */
  readonly #starts = new Map<number, bigint>()
  /** Organizations in the order of their changes, so that the oldest change of all is found. */
  #order: string[] = []
  #orderHead = 0
  #bytes = 0
  readonly #maxBytes: number
  readonly #maxAgeMs: number

  constructor(limits: { readonly maxBytes: number; readonly maxAgeMs: number }) {
    this.#maxBytes = limits.maxBytes
    this.#maxAgeMs = limits.maxAgeMs
  }

  get bytes(): number {
    return this.#bytes
  }

  get length(): number {
    return this.#order.length - this.#orderHead
  }

  /** The log of `partition` was read from `offset` on. */
  begin(partition: number, offset: bigint): void {
    if (!this.#starts.has(partition)) this.#starts.set(partition, offset)
  }

  append(change: Change, now: number): void {
    const lane = this.#lanes.get(change.organizationId)
    if (lane) lane.changes.push(change)
    else this.#lanes.set(change.organizationId, { changes: [change], head: 0 })
    this.#order.push(change.organizationId)
    this.#bytes += bytesOf(change)
    this.evict(now)
  }

  /** Takes what it says of people out of the alert's changes; positions stay. */
  mask(organizationId: string, alertId: string): void {
    const lane = this.#lanes.get(organizationId)
    if (lane === undefined) return
    lane.changes = lane.changes.map((change) => {
      if (change.alertId !== alertId) return change
      const masked = { ...change, alert: maskText(change.alert) }
      this.#bytes += bytesOf(masked) - bytesOf(change)
      return masked
    })
  }

  /** Drops what is too old or too much (1). */
  evict(now: number): void {
    while (this.#orderHead < this.#order.length) {
      const organizationId = this.#order[this.#orderHead] as string
      const lane = this.#lanes.get(organizationId) as Lane
      const oldest = lane.changes[lane.head] as Change
      if (this.#bytes <= this.#maxBytes && now - oldest.at <= this.#maxAgeMs) break
      this.#orderHead += 1
      this.#bytes -= bytesOf(oldest)
      this.#floors.set(organizationId, oldest.offset + 1n)
      lane.head += 1
      if (lane.head === lane.changes.length) this.#lanes.delete(organizationId)
      else if (lane.head >= COMPACT_FROM && lane.head * 2 >= lane.changes.length) {
        lane.changes = lane.changes.slice(lane.head)
        lane.head = 0
      }
    }
    if (this.#orderHead >= COMPACT_FROM && this.#orderHead * 2 >= this.#order.length) {
      this.#order = this.#order.slice(this.#orderHead)
      this.#orderHead = 0
    }
  }

  /** The lowest position from which nothing of the organization is missing. */
  floor(organizationId: string, partition: number): bigint {
    const start = this.#starts.get(partition) ?? 0n
    const evicted = this.#floors.get(organizationId) ?? 0n
    return evicted > start ? evicted : start
  }

  /** Up to `limit` changes of the organization from `offset` on, in log order; `lost` when some of them are gone (2). */
  read(organizationId: string, partition: number, offset: bigint, limit: number): RingRead {
    if (offset < this.floor(organizationId, partition)) return { kind: 'lost' }
    const lane = this.#lanes.get(organizationId)
    if (!lane) return { kind: 'changes', changes: [] }
    const from = firstAtOrAfter(lane, offset)
    return { kind: 'changes', changes: lane.changes.slice(from, from + limit) }
  }
}

function firstAtOrAfter(lane: Lane, offset: bigint): number {
  let low = lane.head
  let high = lane.changes.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((lane.changes[middle] as Change).offset < offset) low = middle + 1
    else high = middle
  }
  return low
}

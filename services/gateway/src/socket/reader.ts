/**
 * Sends an organization's changes to one socket, from the ring and at the socket's pace.
 *
 * 1. The socket has no queue of its own: it is a position in the ring. What waits in its buffer is at most HIGH_WATER_BYTES and
 *    one message.
 * 2. A socket that stood still for SLOW_AFTER_MS gets what it missed coalesced per alert, until it has caught up.
 * 3. One that stands still for STALL_MS, or whose position left the ring, is to be closed (`stalled`, `lost`).
 * 4. Every message's cursor is a position from which nothing is lost; of messages made from one coalesced stretch only the last
 *    moves on.
 * 5. What the socket's subject may not read is masked; that is asked anew for each message, as a role can change at any time.
 */
import type { SubscriptionFilter } from '@tocsin/contracts'
import { type Change, showing } from '../stream/change.ts'
import type { RingRead } from '../stream/ring.ts'
import { coalesce } from './coalesce.ts'
import { bulk, deleted, upsert } from './frames.ts'

export const HIGH_WATER_BYTES = 256 * 1024
export const SLOW_AFTER_MS = 1_000
export const STALL_MS = 10_000
const READ_CHANGES = 100
/** An alert is about 2 KiB: a bulk_update is at most some 400 KiB. */
const COALESCE_CHANGES = 200

/** What the reader needs of a socket. `sent` is called when the frame has left for the kernel. */
export interface Outlet {
  readonly bufferedBytes: number
  send(frame: string, sent: () => void): void
}

export interface Subscription {
  readonly organizationId: string
  readonly partition: number
  readonly filter: SubscriptionFilter
}

export class ChangeReader {
  readonly subscription: Subscription
  readonly #outlet: Outlet
  readonly #read: (subscription: Subscription, offset: bigint, limit: number) => RingRead
  readonly #seal: (subscription: Subscription, offset: bigint) => string
  readonly #textOf: (change: Change) => string
  readonly #clock: () => number
  readonly #told: (type: string, change: Change) => void
  #next: bigint
  #blockedSince: number | null = null
  #slow = false
  #lost = false

  constructor(
    subscription: Subscription,
    from: bigint,
    deps: {
      readonly outlet: Outlet
      readonly read: (subscription: Subscription, offset: bigint, limit: number) => RingRead
      readonly seal: (subscription: Subscription, offset: bigint) => string
      /** The alert as JSON, masked where the subject may not read it whole (5). */
      readonly textOf: (change: Change) => string
      readonly clock: () => number
      /** For metrics. */
      readonly told?: (type: string, change: Change) => void
    },
  ) {
    this.subscription = subscription
    this.#next = from
    this.#outlet = deps.outlet
    this.#read = deps.read
    this.#seal = deps.seal
    this.#textOf = deps.textOf
    this.#clock = deps.clock
    this.#told = deps.told ?? (() => {})
  }

  /** Offset of the next change it has not told. */
  get position(): bigint {
    return this.#next
  }

  health(now: number): 'well' | 'stalled' | 'lost' {
    if (this.#lost) return 'lost'
    return this.#blockedSince !== null && now - this.#blockedSince >= STALL_MS ? 'stalled' : 'well'
  }

  /** Sends what there is while the socket takes it; called on every change of the organization and when the buffer has drained. */
  pump(): void {
    while (this.#blockedSince === null && !this.#lost) {
      const answer = this.#read(this.subscription, this.#next, this.#slow ? COALESCE_CHANGES : READ_CHANGES)
      if (answer.kind === 'lost') {
        this.#lost = true
        return
      }
      if (answer.changes.length === 0) {
        this.#slow = false
        return
      }
      if (this.#slow && answer.changes.length > 1) this.#sendCoalesced(answer.changes)
      else this.#sendEach(answer.changes)
    }
  }

  #sendEach(changes: readonly Change[]): void {
    for (const change of changes) {
      if (this.#blockedSince !== null) return
      this.#next = change.offset + 1n
      const what = showing(this.subscription.filter, change)
      if (what === 'hidden') continue
      const cursor = this.#seal(this.subscription, this.#next)
      if (what === 'created' || what === 'updated')
        this.#send(`alert_${what}`, upsert(`alert_${what}`, change, this.#textOf(change), cursor), change)
      else this.#send('alert_deleted', deleted(change, what, cursor), change)
    }
  }

  #sendCoalesced(changes: readonly Change[]): void {
    const { shown, gone } = coalesce(this.subscription.filter, changes)
    const start = this.#seal(this.subscription, this.#next) // 4
    const newest = changes[changes.length - 1] as Change
    this.#next = newest.offset + 1n
    const end = this.#seal(this.subscription, this.#next)
    gone.forEach(({ change, reason }, index) => {
      const last = shown.length === 0 && index === gone.length - 1
      this.#send('alert_deleted', deleted(change, reason, last ? end : start), change)
    })
    if (shown.length > 0)
      this.#send(
        'bulk_update',
        bulk(
          newest.at,
          shown.map((each) => this.#textOf(each)),
          end,
        ),
        newest,
      )
  }

  #send(type: string, frame: string, change: Change): void {
    this.#told(type, change)
    this.#outlet.send(frame, () => this.#drained())
    if (this.#blockedSince === null && this.#outlet.bufferedBytes > HIGH_WATER_BYTES) this.#blockedSince = this.#clock() // 1
  }

  #drained(): void {
    if (this.#blockedSince === null || this.#outlet.bufferedBytes > HIGH_WATER_BYTES / 2) return
    if (this.#clock() - this.#blockedSince >= SLOW_AFTER_MS) this.#slow = true // 2
    this.#blockedSince = null
    this.pump()
  }
}

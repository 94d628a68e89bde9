/**
 * One socket's conversation: hello, subscribe, changes, the end. Knows no network: it speaks through `Wire`.
 *
 * 1. Only changes of the organization that was subscribed are told, and only while the subject is its member.
 * 2. Subscribing from a cursor loses nothing and repeats nothing, or says `resync`.
 * 3. A new subscription replaces the one before it; while it is being looked up the old one goes on. Each is answered once, by
 *    `subscribed` or `error`, in the order asked.
 * 4. A role without `sensitive:read` is sent masked alerts.
 */
import { type AccessDirectory, can, type StreamPosition, type VerifiedToken } from '@tocsin/access'
import { type Permission, Subscribe } from '@tocsin/contracts'
import { Compile } from 'typebox/compile'
import type { Change } from '../stream/change.ts'
import type { RingRead } from '../stream/ring.ts'
import { CLOSE, type CloseKind } from './close-codes.ts'
import { failure, hello, resync, subscribed } from './frames.ts'
import { ChangeReader, type Outlet, type Subscription } from './reader.ts'

/** At most this many messages of the client in FLOOD_WINDOW_MS: it has one thing to say, and changes its filter now and then. */
const FLOOD_MESSAGES = 20
const FLOOD_WINDOW_MS = 10_000
const SUBSCRIBE_WITHIN_MS = 30_000

export interface Wire extends Outlet {
  /** From now on the session is to be woken for this organization (undefined: for none). */
  listen(organizationId: string | undefined): void
  close(kind: CloseKind): void
}

/** The alerts as the session sees them. */
export interface StreamView {
  read(subscription: Subscription, offset: bigint, limit: number): RingRead
  floor(organizationId: string, partition: number): bigint
  /** Next offset that is not yet in the ring for this organization. */
  position(organizationId: string, partition: number): bigint
  /** Reads `alerts` to its present end; resolves or rejects within seconds. */
  catchUp(): Promise<void>
  isPaused(partition: number): boolean
}

export interface SessionDeps {
  readonly stream: StreamView
  readonly access: Pick<AccessDirectory, 'of'>
  /** Partition of an organization in `alerts`; undefined when there is none. */
  readonly partitionOf: (organizationId: string) => number | undefined
  /** Reads memberships and organizations until `known`, for a second or two: both may be seconds old. */
  readonly refresh: (known: () => boolean) => Promise<void>
  readonly seal: (position: StreamPosition) => string
  /** The change's alert as JSON, whole or masked. */
  readonly textOf: (change: Change, masked: boolean) => string
  /** Throws for anything that `seal` did not make. */
  readonly open: (cursor: string) => StreamPosition
  readonly clock: () => number
  readonly told?: (type: string, change: Change) => void
}

const subscribeCheck = Compile(Subscribe)

export class Session {
  readonly token: VerifiedToken
  readonly #wire: Wire
  readonly #deps: SessionDeps
  readonly #openedAt: number
  #reader: ChangeReader | null = null
  #work: Promise<void> = Promise.resolve()
  #recent: number[] = []
  #closed = false

  constructor(wire: Wire, token: VerifiedToken, deps: SessionDeps) {
    this.#wire = wire
    this.token = token
    this.#deps = deps
    this.#openedAt = deps.clock()
    this.#send(hello(this.#openedAt))
  }

  get organizationId(): string | undefined {
    return this.#reader?.subscription.organizationId
  }

  /** The organization has a new change. */
  wake(): void {
    this.#reader?.pump()
  }

  ended(): void {
    this.#closed = true
    this.#reader = null
    this.#wire.listen(undefined)
  }

  /** A text frame of the client. Resolves when it has been answered; never rejects. */
  async receive(frame: string): Promise<void> {
    const { clock } = this.#deps
    if (this.#closed) return
    this.#recent = [...this.#recent.filter((at) => clock() - at < FLOOD_WINDOW_MS), clock()]
    if (this.#recent.length > FLOOD_MESSAGES) return this.#close('flood', 'FLOOD', CLOSE.flood.reason)
    const message = parse(frame)
    if (!subscribeCheck.Check(message)) {
      const fault = [...subscribeCheck.Errors(message)][0]
      return this.#close(
        'badMessage',
        'BAD_MESSAGE',
        `Expected {"type":"subscribe","organizationId",…}: ${fault?.instancePath ?? ''} ${fault?.message ?? 'not JSON'}`,
      )
    }
    const answered = this.#work.then(() => (this.#closed ? undefined : this.#subscribe(message))) // 3
    this.#work = answered.catch(() => this.#fail('UNAVAILABLE', 'The position could not be found in time. Subscribe again.'))
    await this.#work
  }

  /** Called every second or so: what time alone brings about. */
  tick(now: number): void {
    if (this.#closed) return
    if (now >= this.token.expiresAt.getTime()) this.#close('expired', 'UNAUTHENTICATED', CLOSE.expired.reason)
    else if (this.#reader === null && now - this.#openedAt > SUBSCRIBE_WITHIN_MS)
      this.#close('noSubscription', 'NO_SUBSCRIPTION', CLOSE.noSubscription.reason)
    else if ((this.#reader?.health(now) ?? 'well') !== 'well') this.#close('slow')
  }

  /** The subject's access has changed (1). */
  recheck(): void {
    if (this.#closed) return
    const { notBefore } = this.#deps.access.of(this.token.subject)
    const organizationId = this.organizationId
    if (notBefore !== null && this.token.issuedAt.getTime() < Date.parse(notBefore))
      this.#close('expired', 'UNAUTHENTICATED', CLOSE.expired.reason)
    else if (organizationId !== undefined && !this.#mayRead(organizationId))
      this.#close('revoked', 'NOT_FOUND', 'There is no such organization.')
  }

  async #subscribe(message: Subscribe): Promise<void> {
    const { stream, partitionOf, refresh, clock } = this.#deps
    const organizationId = message.organizationId.toLowerCase()
    // A membership or an organization made a moment ago may not be here yet.
    const known = () => this.#mayRead(organizationId) && partitionOf(organizationId) !== undefined
    if (!known()) await refresh(known)
    if (this.#closed) return
    const partition = partitionOf(organizationId)
    // Foreign and missing look the same (1).
    if (!this.#mayRead(organizationId) || partition === undefined)
      return this.#close('notFound', 'NOT_FOUND', 'There is no such organization.')
    if (stream.isPaused(partition))
      return this.#fail('STREAM_PAUSED', 'Changes of this organization are not read at present; use the API.')

    const from = this.#resumeFrom(message.cursor, organizationId, partition)
    if (from === 'bad')
      return this.#fail(
        'BAD_CURSOR',
        'The cursor is not one of this organization. Leave it out, or take streamCursor of GET /api/alerts.',
      )
    // Another reader (persistence) may be ahead of this one.
    if (from !== null && from > stream.position(organizationId, partition)) await stream.catchUp()
    if (this.#closed) return
    // Access may have gone while the stream was read (1).
    if (!this.#mayRead(organizationId)) return this.#close('notFound', 'NOT_FOUND', 'There is no such organization.')
    this.#start({ organizationId, partition, filter: message.filter ?? {} }, from, clock())
  }

  /** Synchronous from the decision to the reader's first read, so that no change falls between (2). */
  #start(subscription: Subscription, from: bigint | null, now: number): void {
    const { stream } = this.#deps
    const { organizationId, partition } = subscription
    const position = stream.position(organizationId, partition)
    const kept = this.organizationId === organizationId ? this.#reader?.position : undefined
    const wanted = from ?? kept ?? position
    const refusal = wanted < stream.floor(organizationId, partition) ? 'too old' : wanted > position ? 'unknown position' : null
    const start = refusal === null ? wanted : position
    const cursor = this.#seal(subscription, start)
    this.#send(subscribed(now, organizationId, cursor))
    if (refusal !== null) this.#send(resync(now, cursor, refusal))
    this.#reader = new ChangeReader(subscription, start, {
      outlet: this.#wire,
      read: (...asked) => stream.read(...asked),
      seal: this.#seal,
      textOf: (change) => this.#deps.textOf(change, !this.#may(organizationId, 'sensitive:read')), // 4
      clock: this.#deps.clock,
      ...(this.#deps.told ? { told: this.#deps.told } : {}),
    })
    this.#wire.listen(organizationId)
    this.#reader.pump()
  }

  #resumeFrom(cursor: string | undefined, organizationId: string, partition: number): bigint | null | 'bad' {
    if (cursor === undefined) return null
    try {
      const position = this.#deps.open(cursor)
      return position.organizationId === organizationId && position.partition === partition ? position.offset : 'bad'
    } catch {
      return 'bad'
    }
  }

  readonly #seal = ({ organizationId, partition }: Subscription, offset: bigint): string =>
    this.#deps.seal({ organizationId, partition, offset })

  #mayRead(organizationId: string): boolean {
    return this.#may(organizationId, 'alerts:read')
  }

  #may(organizationId: string, permission: Permission): boolean {
    const membership = this.#deps.access.of(this.token.subject).memberships.find((each) => each.organizationId === organizationId)
    return membership !== undefined && can(membership.role, permission)
  }

  #fail(code: string, message: string): void {
    this.#send(failure(this.#deps.clock(), code, message))
  }

  #close(kind: CloseKind, code?: string, message?: string): void {
    if (this.#closed) return
    if (code !== undefined && message !== undefined) this.#fail(code, message)
    this.ended()
    this.#wire.close(kind)
  }

  #send(frame: string): void {
    if (!this.#closed) this.#wire.send(frame, () => {})
  }
}

function parse(frame: string): unknown {
  try {
    return JSON.parse(frame)
  } catch {
    return undefined
  }
}

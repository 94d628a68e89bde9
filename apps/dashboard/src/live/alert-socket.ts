/**
 * The connection to /ws: connects, subscribes, comes back with its cursor. Knows nothing of React.
 *
 * 1. After a break it resumes from the last cursor; what was missed comes first, in order.
 * 2. Where the server cannot resume it says so, and `onResync` is asked to fetch the list anew and to subscribe from it.
 * 3. Each subscribe is answered once and in order, so changes that arrive before the last answer belong to an older subscription
 *    and are left out; the new one's cursor brings them again.
 */
import type { SocketMessage, Subscribe } from '@tocsin/contracts'

export type ConnectionState = 'connecting' | 'live' | 'offline' | 'ended'
export type ChangeMessage = Extract<SocketMessage, { type: 'alert_created' | 'alert_updated' | 'alert_deleted' | 'bulk_update' }>

export interface Listener {
  readonly onChange: (message: ChangeMessage) => void
  /** What is shown may have gaps: fetch it again, then subscribe from the new position. */
  readonly onResync: () => void
  /** The subscription stands. */
  readonly onSubscribed?: () => void
}

interface Wanted {
  subscribe: Subscribe
  readonly listener: Listener
}

const FIRST_RETRY_MS = 500
const LONGEST_RETRY_MS = 15_000
/** The server says so when coming back cannot help: signed out, or no longer a member. */
const FINAL_CODES = new Set([4401, 4403, 4404])
const RESUBSCRIBE_MS = 2_000

export class AlertSocket {
  readonly #url: string
  readonly #watchers = new Set<() => void>()
  #socket: WebSocket | null = null
  #wanted: Wanted | null = null
  #state: ConnectionState = 'connecting'
  #failures = 0
  #unanswered = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #stopped = true

  constructor(url: string) {
    this.#url = url
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** For useSyncExternalStore. */
  readonly watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  start(): void {
    this.#stopped = false
    if (this.#socket === null) this.#connect()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#retry)
    this.#socket?.close(1000)
    this.#socket = null
  }

  /** Replaces the subscription there was; the answer ends it. `cursor`: the position that the caller's data contains. */
  subscribe(subscription: Omit<Subscribe, 'type'>, listener: Listener): () => void {
    const wanted: Wanted = { subscribe: { type: 'subscribe', ...subscription }, listener }
    this.#wanted = wanted
    this.#ask()
    return () => {
      if (this.#wanted === wanted) this.#wanted = null
    }
  }

  #connect(): void {
    this.#become('connecting')
    const socket = new WebSocket(this.#url, ['tocsin.v1'])
    this.#socket = socket
    this.#unanswered = 0
    socket.onmessage = ({ data }) => {
      if (this.#socket === socket) this.#take(JSON.parse(String(data)) as SocketMessage)
    }
    socket.onclose = ({ code }) => {
      if (this.#socket !== socket) return
      this.#socket = null
      if (this.#stopped) return
      if (FINAL_CODES.has(code)) this.#become('ended')
      else this.#comeBack()
    }
  }

  #comeBack(): void {
    this.#become('offline')
    // Jitter: a restarted gateway must not meet everybody at once.
    const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures) * (0.5 + Math.random() / 2)
    this.#failures += 1
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#connect(), wait)
  }

  #ask(): void {
    if (this.#wanted === null || this.#socket?.readyState !== WebSocket.OPEN) return
    this.#unanswered += 1
    this.#socket.send(JSON.stringify(this.#wanted.subscribe))
  }

  #take(message: SocketMessage): void {
    const wanted = this.#wanted
    switch (message.type) {
      case 'hello':
        this.#failures = 0
        this.#ask()
        // Until something is subscribed there is nothing that could be missed.
        if (wanted === null) this.#become('live')
        return
      case 'subscribed':
        this.#unanswered -= 1
        if (this.#unanswered > 0) return
        this.#keep(message.cursor)
        this.#become('live')
        wanted?.listener.onSubscribed?.()
        return
      case 'resync':
        if (this.#unanswered === 0) wanted?.listener.onResync()
        return
      case 'error':
        this.#unanswered -= 1
        if (this.#unanswered > 0) return
        if (message.code === 'BAD_CURSOR') wanted?.listener.onResync()
        else if (message.code === 'UNAVAILABLE') this.#retry = setTimeout(() => this.#ask(), RESUBSCRIBE_MS)
        return
      default:
        if (this.#unanswered > 0) return // 3
        this.#keep(message.cursor)
        wanted?.listener.onChange(message)
    }
  }

  #keep(cursor: string): void {
    if (this.#wanted !== null) this.#wanted.subscribe = { ...this.#wanted.subscribe, cursor }
  }

  #become(state: ConnectionState): void {
    if (state === this.#state) return
    this.#state = state
    for (const watcher of this.#watchers) watcher()
  }
}

import { randomUUID } from 'node:crypto'

export type MessageKind = 'mail' | 'slack' | 'sms'

/** What somebody would have received. */
export interface Message {
  readonly id: string
  readonly kind: MessageKind
  /** ISO 8601. */
  readonly at: string
  /** Address, channel or number. */
  readonly to: string
  readonly from?: string
  readonly subject?: string
  readonly text: string
  readonly html?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly alertId?: string
  readonly slack?: SlackPart
}

/** Of a Slack message: its place, how it looked before it was changed, and what was said in its thread. */
export interface SlackPart {
  readonly channel: string
  readonly ts: string
  readonly threadTs?: string
  readonly blocks: readonly unknown[]
  readonly updates: readonly { readonly at: string; readonly text: string; readonly blocks: readonly unknown[] }[]
  readonly thread: readonly { readonly at: string; readonly text: string; readonly ts: string }[]
}

export interface MessageFilter {
  readonly to?: string
  readonly kind?: MessageKind
  /** ISO 8601: only what came or changed at or after it. */
  readonly since?: string
}

const ALERT_LINK = /\/alerts\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/i

/** The alert that a text links to. */
export const alertIdIn = (text: string): string | undefined => ALERT_LINK.exec(text)?.[1]

/** The newest messages, in memory: a mailbox is emptied by its restart. */
export class Messages {
  readonly #keeps: number
  readonly #now: () => Date
  readonly #byId = new Map<string, Message & { readonly changedAt: string }>()

  constructor(keeps: number, now: () => Date = () => new Date()) {
    this.#keeps = keeps
    this.#now = now
  }

  add(message: Omit<Message, 'id' | 'at'>): Message {
    const at = this.#now().toISOString()
    const added = { id: randomUUID(), at, ...message, changedAt: at }
    this.#byId.set(added.id, added)
    for (const id of this.#byId.keys()) {
      if (this.#byId.size <= this.#keeps) break
      this.#byId.delete(id)
    }
    return added
  }

  /** Replaces a message that is still kept. */
  replace(message: Message): void {
    if (this.#byId.has(message.id)) this.#byId.set(message.id, { ...message, changedAt: this.#now().toISOString() })
  }

  /** Newest first. */
  list(filter: MessageFilter = {}): Message[] {
    return [...this.#byId.values()]
      .reverse()
      .filter(
        (message) =>
          (filter.kind === undefined || message.kind === filter.kind) &&
          (filter.to === undefined || message.to.toLowerCase() === filter.to.toLowerCase()) &&
          (filter.since === undefined || Date.parse(message.changedAt) >= Date.parse(filter.since)),
      )
      .map(({ changedAt: _changedAt, ...message }) => message)
  }

  get(id: string): Message | undefined {
    return this.#byId.get(id)
  }

  clear(): void {
    this.#byId.clear()
  }
}

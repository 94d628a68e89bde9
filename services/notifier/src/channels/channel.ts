import type { AlertCopy, ChannelName, NotificationEvent } from '../plan/vocabulary.ts'

/** All that a message is made of; nothing else is read while rendering. */
export interface Telling {
  readonly alert: AlertCopy
  readonly event: NotificationEvent
  /** Names the change among those of the alert: with the alert's id it makes the message's own id. */
  readonly change: string
  /** `follow`: this destination was told of the alert before. */
  readonly send: 'first' | 'follow'
  readonly late: boolean
  readonly organization: string
  /** Address of the alert's page, built from PUBLIC_URL. */
  readonly url: string
  /** Who acted, where a person did. */
  readonly actor: string | null
}

/** What a provider needs to change or continue a message it took, for instance Slack's channel and ts. */
export type MessageRef = Readonly<Record<string, string>>

export interface Accepted {
  readonly providerId: string
  readonly ref: MessageRef
}

export interface SendContext {
  readonly destination: string
  /** Of the first message about this alert that the destination accepted; null for that message itself. */
  readonly previous: MessageRef | null
  /** Aborted when the time of the attempt is over. */
  readonly signal: AbortSignal
}

/** One means of telling. Each lies in a file of its own; one contract test runs over all. */
export interface Channel<M> {
  readonly name: ChannelName
  /** Pure: the same telling gives the same message. */
  render(telling: Telling): M
  /** Resolves when the provider has accepted; rejects with a DeliveryFault and nothing else. */
  send(message: M, context: SendContext): Promise<Accepted>
  close(): void
}

/**
 * `retry`: worth another try. `destination`: the provider refuses this destination. `message`: it refuses this message.
 */
export type FaultEffect = 'retry' | 'destination' | 'message'

/**
 * Why an attempt failed. The code is from a closed set of shapes (`smtp_550`, `http_503`, `slack_is_archived`, `timeout` …): text of the
 * provider, which may repeat a secret or an event, never enters it, and so neither ledger nor log.
 */
export class DeliveryFault extends Error {
  override readonly name = 'DeliveryFault'
  readonly effect: FaultEffect
  readonly code: string
  /** How long the provider asks to be left alone, in milliseconds. */
  readonly retryAfterMs: number | null

  constructor(effect: FaultEffect, code: string, retryAfterMs: number | null = null) {
    super(`delivery failed: ${code}`)
    this.effect = effect
    this.code = code
    this.retryAfterMs = retryAfterMs
  }
}

/** A refused message says nothing about the destination's health, and a rate limit is obeyed by waiting: neither opens a breaker. */
export const countsAgainstDestination = (fault: unknown): boolean =>
  !(fault instanceof DeliveryFault) || (fault.effect !== 'message' && fault.retryAfterMs === null)

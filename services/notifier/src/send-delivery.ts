import { BREAKER_OPEN, type Breakers } from './breakers.ts'
import type { Accepted, Channel, MessageRef, Telling } from './channels/channel.ts'
import { DeliveryFault } from './channels/channel.ts'
import type { Attempt, Claimed, Outcome } from './ledger/deliveries.ts'
import { pauseAfter } from './plan/backoff.ts'
import { decideSending } from './plan/decide-sending.ts'
import type { AlertCopy, ChannelName } from './plan/vocabulary.ts'

export interface SendDeps {
  readonly channels: ReadonlyMap<ChannelName, Channel<unknown>>
  readonly breakers: Breakers
  readonly publicUrl: string
  readonly organizationName: (organizationId: string) => string
  /** In [0, 1). */
  readonly random: () => number
}

/** Names a destination for its breaker; never shown. */
export const breakerKey = ({
  organizationId,
  channel,
  destination,
}: Pick<Claimed, 'organizationId' | 'channel' | 'destination'>): string => JSON.stringify([organizationId, channel, destination])

/** One claimed delivery: decides, renders, sends through the destination's breaker, and says what became of it. Never rejects. */
export async function sendDelivery(
  deps: SendDeps,
  delivery: Claimed,
  known: { readonly alert: AlertCopy | null; readonly previous: MessageRef | null },
): Promise<Outcome> {
  const { alert, previous } = known
  if (alert === null) return { kind: 'cancelled', reason: 'notTold' }
  const decision = decideSending({
    event: delivery.event,
    plannedVersion: delivery.version,
    dueAt: delivery.plannedFor.getTime(),
    madeAt: delivery.madeAt.getTime(),
    now: delivery.now.getTime(),
    alert,
    toldBefore: previous !== null,
  })
  if (decision.send === 'none') {
    return decision.status === 'failed'
      ? { kind: 'failed', reason: decision.reason, attempt: null }
      : { kind: 'cancelled', reason: decision.reason }
  }
  const channel = deps.channels.get(delivery.channel)
  if (channel === undefined) return { kind: 'failed', reason: 'channel_not_configured', attempt: null }
  const telling: Telling = {
    alert,
    event: delivery.event,
    change: delivery.change,
    send: decision.send,
    late: decision.late,
    organization: deps.organizationName(delivery.organizationId),
    url: `${deps.publicUrl}/alerts/${alert.id}`,
    actor: delivery.actor,
  }
  const startedAt = performance.now()
  const took = () => performance.now() - startedAt
  try {
    const { destination } = delivery
    const { providerId, ref }: Accepted = await deps.breakers.fire(breakerKey(delivery), async (signal) =>
      channel.send(channel.render(telling), { destination, previous, signal }),
    )
    const attempt: Attempt = { outcome: 'accepted', code: null, latencyMs: took() }
    return { kind: 'accepted', providerId, ref, late: decision.late, attempt }
  } catch (error) {
    return afterFault(error, delivery, took(), deps.random())
  }
}

function afterFault(error: unknown, delivery: Claimed, latencyMs: number, random: number): Outcome {
  const fault = error instanceof DeliveryFault ? error : new DeliveryFault('retry', 'unexpected')
  const attempt: Attempt = { outcome: fault.effect, code: fault.code, latencyMs }
  if (fault.effect !== 'retry') return { kind: 'failed', reason: fault.code, attempt }
  if (fault.code === BREAKER_OPEN) {
    const holdMs = fault.retryAfterMs
    return { kind: 'again', reason: BREAKER_OPEN, pauseMs: 0, holdMs, attempt: null }
  }
  const pauseMs = Math.max(pauseAfter(delivery.attempts + 1, random), fault.retryAfterMs ?? 0)
  return { kind: 'again', reason: fault.code, pauseMs, holdMs: fault.retryAfterMs, attempt }
}

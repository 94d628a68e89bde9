import type { Recipients } from '@tocsin/contracts'
import { destinationsOf } from './routes.ts'
import type { ChannelName, Reason } from './vocabulary.ts'

export interface PlannedDelivery {
  readonly channel: ChannelName
  readonly destination: string
}

export type DeliveryPlan =
  | { readonly deliveries: readonly PlannedDelivery[] }
  | { readonly deliveries: readonly []; readonly reason: Extract<Reason, 'nobodyToTell' | 'organizationUnknown'> }

/**
 * A due timer becomes deliveries: one for each destination of its channels, in route order. The recipients are those of now,
 * not those of the time when the timer was set. The console is added where it is switched on, and never counts as somebody.
 */
export function planDeliveries(
  channels: readonly ChannelName[],
  recipients: Recipients | null,
  withConsole: boolean,
): DeliveryPlan {
  if (recipients === null) return { deliveries: [], reason: 'organizationUnknown' }
  const people = channels
    .filter((channel) => channel !== 'console')
    .flatMap((channel) => destinationsOf(channel, recipients).map((destination) => ({ channel, destination })))
  if (people.length === 0) return { deliveries: [], reason: 'nobodyToTell' }
  const log = withConsole
    ? destinationsOf('console', recipients).map((destination) => ({ channel: 'console' as const, destination }))
    : []
  return { deliveries: [...people, ...log] }
}

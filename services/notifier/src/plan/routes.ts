import type { OrganizationSettings, Recipients, Severity } from '@tocsin/contracts'
import type { ChannelName, DurationMs } from './vocabulary.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

export interface Route {
  readonly channels: readonly ChannelName[]
  readonly delayMs: DurationMs
}

/**
 * Default routes (channels.md §1, from the seed). INFO belongs into a daily digest; until there is one, each INFO alert is told
 * by itself after a day.
 */
const DEFAULT_ROUTES: Readonly<Record<Severity, Route>> = {
  CRITICAL: { channels: ['email', 'slack', 'sms'], delayMs: 0 },
  HIGH: { channels: ['email', 'slack'], delayMs: 5 * MINUTE_MS },
  MEDIUM: { channels: ['email'], delayMs: 15 * MINUTE_MS },
  LOW: { channels: ['email'], delayMs: HOUR_MS },
  INFO: { channels: ['email'], delayMs: 24 * HOUR_MS },
}

/** The route of a severity, with the organization's own delay where it has set one. */
export function routeOf(severity: Severity, settings: Pick<OrganizationSettings, 'notificationDelaysMs'>): Route {
  const route = DEFAULT_ROUTES[severity]
  return { channels: route.channels, delayMs: settings.notificationDelaysMs?.[severity] ?? route.delayMs }
}

/** Where the console channel writes; it is no person and so never the only one to be told. */
export const CONSOLE_DESTINATION = 'log'

/** Destinations of one channel, each once, in the organization's order. */
export function destinationsOf(channel: ChannelName, recipients: Recipients): readonly string[] {
  const lists: Record<ChannelName, readonly string[]> = {
    email: recipients.emails,
    slack: recipients.slackChannels,
    sms: recipients.phoneNumbers,
    console: [CONSOLE_DESTINATION],
  }
  return [...new Set(lists[channel].map((destination) => destination.trim()).filter((destination) => destination !== ''))]
}

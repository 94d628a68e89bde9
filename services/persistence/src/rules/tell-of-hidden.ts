/**
 * Who switches off what has found something CRITICAL is told of at once (security.md §5): the act itself is an alert of the organization, in
 * the act's transaction, and goes to whoever is told of its alerts.
 */
import type { Query } from '@tocsin/postgres'
import { withoutRule } from '../core/raised-alert.ts'
import { SYSTEM } from '../core/status-change.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { raiseAlert } from '../raise-alert.ts'
import type { OrganizationState } from '../repositories/organizations.ts'

/** How far back an act is looked at. */
export const CRITICAL_DAYS = 7
/** Alerts that the description names. */
const MOST_NAMED = 20

export interface HidingAct {
  readonly organization: Pick<OrganizationState, 'organizationId' | 'partition'>
  readonly actor: string
  /** For instance `exception.added`. */
  readonly action: string
  readonly what: 'exception' | 'rule'
  /** Of the exception or rule. */
  readonly id: string
  /** CRITICAL alerts of the last days that would not have been there. */
  readonly hidden: readonly { readonly id: string; readonly title: string }[]
}

const TITLES: Readonly<Record<HidingAct['what'], string>> = {
  exception: 'An exception would have hidden CRITICAL alerts',
  rule: 'A rule that has found something CRITICAL was stopped',
}

/** Nothing where nothing would have been hidden. The organization's key must be loaded. */
export async function tellOfHidden(query: Query, cipher: FieldCipher, act: HidingAct): Promise<void> {
  const { organization, actor, action, what, id, hidden } = act
  if (hidden.length === 0) return
  const named = hidden.slice(0, MOST_NAMED)
  const lines = named.map((alert) => `${alert.title} (${alert.id})`)
  await raiseAlert(query, cipher, {
    organization,
    raised: {
      type: 'SECURITY',
      severity: 'HIGH',
      title: TITLES[what],
      description: [
        `${actor}: ${action} ${id}. CRITICAL alerts of the last ${CRITICAL_DAYS} days that it concerns: ${hidden.length}.`,
        ...lines,
      ].join('\n'),
      metadata: { actor, action, [what]: id, alerts: named.map((alert) => alert.id) },
      // Each act is told of, however often it is done.
      dedupKey: null,
      ends: false,
      rule: withoutRule('tocsin.hidden-critical', 'CRITICAL alerts hidden'),
      group: { principalId: actor },
      runbook: null,
      startedAt: null,
    },
    source: 'tocsin',
    actor: { subject: SYSTEM, channel: 'system', now: Date.now() },
  })
}

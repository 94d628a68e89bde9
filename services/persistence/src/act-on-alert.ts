import type { Alert } from '@tocsin/contracts'
import type { Query } from '@tocsin/postgres'
import { type Actor, type Command, decide } from './core/status-change.ts'
import { isRefusal, type Refusal } from './core/transitions.ts'
import type { FieldCipher } from './protection/field-cipher.ts'
import { lockAlert, writeStatus } from './repositories/alerts.ts'
import type { OrganizationState } from './repositories/organizations.ts'
import { addToOutbox, statusRecord } from './repositories/outbox.ts'

export type ActOutcome =
  | { readonly outcome: 'done'; readonly alert: Alert }
  | { readonly outcome: 'refused'; readonly reason: Refusal['refused']; readonly alert: Alert }
  /** `isCurrent` said no: somebody has acted since the caller looked. */
  | { readonly outcome: 'overtaken'; readonly alert: Alert }
  | { readonly outcome: 'missing' }

/**
 * One act on one alert in the transaction of `query`: row, history and outbox. Two at once: the second waits here, and then sees
 * what the first did. The organization's key must be loaded.
 */
export async function actOnAlert(
  query: Query,
  cipher: FieldCipher,
  act: {
    readonly organization: OrganizationState
    readonly id: string
    readonly command: Command
    readonly actor: Actor
    readonly isCurrent?: ((alert: Alert) => boolean) | undefined
    readonly traceparent?: string | undefined
  },
): Promise<ActOutcome> {
  const { organization, command, actor } = act
  const alert = await lockAlert(query, cipher, organization.organizationId, act.id)
  if (alert === null) return { outcome: 'missing' }
  if (act.isCurrent?.(alert) === false) return { outcome: 'overtaken', alert }
  const step = decide(alert, command, actor, organization.settings)
  if (isRefusal(step)) return { outcome: 'refused', reason: step.refused, alert }
  const next = await writeStatus(query, cipher, alert, step)
  await addToOutbox(query, [statusRecord(step.change, step.type, organization.partition, act.traceparent)])
  return { outcome: 'done', alert: next }
}

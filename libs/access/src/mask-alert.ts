/**
 * What a role without `sensitive:read` sees of an alert (docs/sensitive-data.md). Every way out that carries an alert goes through
 * maskAlert: answers of the API, exports, frames of the socket.
 *
 * 1. The table below is total: a new field of an alert is decided on here or nothing compiles.
 * 2. Masking is by what a field can hold, never by what it holds: a role that may not read a value cannot tell whether there is one.
 */
import type { AlertWithEvidence, Evidence, Permission, Recipients } from '@tocsin/contracts'

/** Stands in place of a text that the role may not read. */
export const MASKED = '[masked]'

type Mask<K extends keyof AlertWithEvidence> = (
  value: AlertWithEvidence[K],
  alert: Partial<AlertWithEvidence>,
) => AlertWithEvidence[K]

const shown = <V>(value: V): V => value
const hidden = () => MASKED
const hiddenOrNone = (value: string | null): string | null => (value === null ? null : MASKED)

const maskEvidence = ({ t, action, outcome, recordCount, classification, topic, partition, offset }: Evidence): Evidence => ({
  id: MASKED,
  t,
  action,
  outcome,
  ...(recordCount === undefined ? {} : { recordCount }),
  ...(classification === undefined ? {} : { classification }),
  topic,
  partition,
  offset,
})

/** The link to the alert it was merged into is the system's own; everything else may name people. */
const maskMetadata = ({ mergedInto }: AlertWithEvidence['metadata']): AlertWithEvidence['metadata'] =>
  mergedInto === undefined ? {} : { mergedInto }

const MASKS: { readonly [K in keyof Required<AlertWithEvidence>]: Mask<K> } = {
  id: shown,
  organizationId: shown,
  type: shown,
  severity: shown,
  // Titles and descriptions name whom the alert is about.
  title: (_, { rule }) => rule?.name ?? MASKED,
  description: hidden,
  source: shown,
  rule: shown,
  pattern: shown,
  group: (group) => Object.fromEntries(Object.keys(group).map((field) => [field, MASKED])),
  window: shown,
  firstSeen: shown,
  lastSeen: shown,
  count: shown,
  peak: shown,
  revision: shown,
  open: shown,
  backfilled: shown,
  metadata: maskMetadata,
  tags: shown,
  runbook: shown,
  correlationId: hiddenOrNone,
  createdAt: shown,
  updatedAt: shown,
  status: shown,
  // Who handles an alert is a colleague, and no secret among them.
  assignee: shown,
  acknowledged: shown,
  acknowledgedAt: shown,
  acknowledgedBy: shown,
  resolved: shown,
  resolvedAt: shown,
  resolvedBy: shown,
  resolutionNotes: hiddenOrNone,
  resolutionAction: hiddenOrNone,
  resolutionMetadata: (metadata) => (metadata === null ? null : {}),
  dismissedAt: shown,
  dismissedBy: shown,
  dismissReason: shown,
  acknowledgementExpiresAt: shown,
  endedAtCount: shown,
  labels: shown,
  version: shown,
  evidence: (evidence) => evidence.map(maskEvidence),
}

/** The alert, whole or in part, as a role without `sensitive:read` sees it. What the table does not know is left out. */
export function maskAlert<A extends Partial<AlertWithEvidence>>(alert: A): A {
  const masked: Record<string, unknown> = {}
  for (const field of Object.keys(MASKS) as (keyof AlertWithEvidence)[])
    if (alert[field] !== undefined) masked[field] = (MASKS[field] as Mask<typeof field>)(alert[field], alert)
  return masked as A
}

/** `alert` as somebody with these permissions may see it. */
export const alertFor = <A extends Partial<AlertWithEvidence>>(permissions: ReadonlySet<Permission>, alert: A): A =>
  permissions.has('sensitive:read') ? alert : maskAlert(alert)

/** Whom alerts are told to: their addresses are sensitive, how many there are is not. */
export const recipientsFor = (permissions: ReadonlySet<Permission>, recipients: Recipients): Recipients =>
  permissions.has('sensitive:read')
    ? recipients
    : {
        emails: recipients.emails.map(hidden),
        slackChannels: recipients.slackChannels.map(hidden),
        phoneNumbers: recipients.phoneNumbers.map(hidden),
      }

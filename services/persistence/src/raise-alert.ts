import { randomUUID } from 'node:crypto'
import { type Alert, type AlertFigures, type AlertStatus, type RaiseAnswer, UNTOUCHED } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import type { Query } from '@tocsin/postgres'
import { type KeyState, type Raised, raise, raisedFigures } from './core/raised-alert.ts'
import type { Actor } from './core/status-change.ts'
import type { FieldCipher } from './protection/field-cipher.ts'
import { getAlert } from './repositories/alerts.ts'
import { addHistory } from './repositories/history.ts'
import type { OrganizationState } from './repositories/organizations.ts'
import { addToOutbox, figuresRecord } from './repositories/outbox.ts'
import { GET_RAISED, LOCK_RAISED_KEY, SET_RAISED } from './sql/raised-sql.ts'

/** Of a record of `alerts` (design §4). */
const MAX_RECORD_BYTES = 131_072

interface RaisedRow {
  readonly openings: number
  readonly alert_id: string
  readonly open: boolean
  readonly revision: number
  readonly count: bigint
  readonly first_seen: Date
  readonly created_at: Date
  readonly updated_at: Date
  readonly status: AlertStatus | null
}

/**
 * Raises one alert in the transaction of `query`: what the key stands at, history and the record of `alerts`, by which the alert
 * reaches this service's own tables too. The organization's key must be loaded.
 */
export async function raiseAlert(
  query: Query,
  cipher: FieldCipher,
  act: {
    readonly organization: Pick<OrganizationState, 'organizationId' | 'partition'>
    readonly raised: Raised
    readonly source: string
    readonly actor: Actor
    readonly traceparent?: string | undefined
  },
): Promise<RaiseAnswer['items'][number]> {
  const { organization, raised, source, actor } = act
  const { organizationId, partition } = organization
  const { dedupKey } = raised
  const known = dedupKey === null ? null : await lockState(query, organizationId, dedupKey)
  const ended = known?.status === 'resolved' || known?.status === 'dismissed'
  const step = raise(raised, known?.state ?? null, { organizationId, ended, now: actor.now, freshId: randomUUID() })
  if (step === null) return { change: 'unchanged', dedupKey, alert: null }
  const figures = raisedFigures(organizationId, raised, step.next, source)
  const record = figuresRecord(figures, step.type, partition, act.traceparent)
  if (Buffer.byteLength(record.value) > MAX_RECORD_BYTES)
    throw new HttpProblem(413, 'TOO_LARGE', `As a record the alert would have more than ${MAX_RECORD_BYTES} bytes.`)
  if (dedupKey !== null) await query(SET_RAISED, [organizationId, dedupKey, ...valuesOf(step.next)])
  await addHistory(query, cipher, {
    organizationId,
    at: step.next.updatedAt,
    actor: actor.subject,
    channel: actor.channel,
    action: 'alert.raised',
    about: { kind: 'alert', id: figures.id },
    details: { change: step.type, revision: figures.revision, dedupKey },
  })
  await addToOutbox(query, [record])
  const change = CHANGES[step.type]
  return { change, dedupKey, alert: await withStatusOf(query, cipher, figures) }
}

const CHANGES = { 'alert.created': 'created', 'alert.revised': 'revised', 'alert.closed': 'closed' } as const

async function lockState(
  query: Query,
  organizationId: string,
  dedupKey: string,
): Promise<{ readonly state: KeyState; readonly status: AlertStatus | null } | null> {
  await query(LOCK_RAISED_KEY, [organizationId, dedupKey])
  const [row] = await query<RaisedRow>(GET_RAISED, [organizationId, dedupKey])
  if (row === undefined) return null
  const { alert_id: alertId, count, first_seen, created_at, updated_at, status, ...rest } = row
  const times = { firstSeen: first_seen.toISOString(), createdAt: created_at.toISOString(), updatedAt: updated_at.toISOString() }
  return { state: { ...rest, alertId, count: Number(count), ...times }, status }
}

const valuesOf = (state: KeyState): unknown[] => [
  state.openings,
  state.alertId,
  state.open,
  state.revision,
  state.count,
  state.firstSeen,
  state.createdAt,
  state.updatedAt,
]

/** The alert as it will be once the record has come back: these figures, and what people have done until now. */
async function withStatusOf(query: Query, cipher: FieldCipher, { evidence: _, ...figures }: AlertFigures): Promise<Alert> {
  const stored = figures.revision === 1 ? null : await getAlert(query, cipher, figures.organizationId, figures.id)
  if (stored === null) return { ...figures, ...UNTOUCHED, labels: [] }
  const { evidence: _evidence, ...alert } = stored
  return { ...alert, ...figures }
}

import { type AuditEvent, categoryOf, operationOf, outcomeOf } from '@tocsin/contracts'
import { seededRandom } from './random.ts'

/** One event of a log and where it goes. */
export interface BenchEvent {
  readonly event: AuditEvent
  readonly organization: number
  /** Key of its record: what the peers group by. */
  readonly key: string
}

export type EventSource = () => BenchEvent

/** A Monday at 8: within business hours, whenever this runs. Events arrive late, which changes flags and counters only. */
const FROM = Date.UTC(2026, 0, 5, 8)
const SEED = 42
const ACTIONS = [
  'auth.login',
  'auth.logout',
  'data.read',
  'data.read',
  'data.read',
  'data.update',
  'data.export',
  'fhir.patient.read',
] as const
const RESOURCES = 50_000

/**
 * The events of `peers/node/produce.mjs`, number by number from the same seed, as ingest writes them: 200 organizations of 100 principals, of which 20
 * of one are hot and fail half of the time; one event a millisecond. Left out is `eventVersion`, which our format does not know: ingest would
 * keep the original beside the event for it.
 */
export function peerEvents(): EventSource {
  const random = seededRandom(SEED)
  let index = 0
  return () => {
    const hot = random() < 0.02
    const organization = hot ? 7 : Math.floor(random() * 200)
    const principal = Math.floor(random() * (hot ? 20 : 100))
    const action = ACTIONS[Math.floor(random() * ACTIONS.length)] ?? 'data.read'
    const status = random() < (hot ? 0.5 : 0.03) ? 'failure' : 'success'
    const targetResourceId = `p-${Math.floor(random() * RESOURCES)}`
    const dataClassification = random() < 0.2 ? 'PHI' : 'INTERNAL'
    const outcomeDescription = status === 'success' ? 'ok' : random() < 0.5 ? 'access denied by policy' : 'invalid credentials'
    const recordCount = action === 'data.export' ? Math.floor(random() * 80) : 1
    const sessionId = `s-${Math.floor(random() * 1e9).toString(36)}`
    const ipAddress = `10.${Math.floor(random() * 200)}.3.7`
    const facts = { action, status, targetResourceId, dataClassification, outcomeDescription, recordCount } as const
    return bench(index++, organization, `user-${principal}`, facts, { sessionId, ipAddress })
  }
}

/** Successful reads, one a millisecond, by principals that `choose` names by the event's number: each matches one rule of the pack. */
export function readEvents(
  choose: (index: number) => { readonly organization: number; readonly principal: number },
): EventSource {
  let index = 0
  return () => {
    const { organization, principal } = choose(index)
    const facts = {
      action: 'data.read',
      status: 'success',
      targetResourceId: `p-${index % RESOURCES}`,
      dataClassification: 'INTERNAL',
      outcomeDescription: 'ok',
      recordCount: 1,
    } as const
    return bench(index++, organization, `user-${principal}`, facts, { sessionId: `s-${principal}`, ipAddress: '10.1.3.7' })
  }
}

type Facts = Pick<
  AuditEvent,
  'action' | 'status' | 'targetResourceId' | 'dataClassification' | 'outcomeDescription' | 'recordCount'
>

function bench(
  index: number,
  organization: number,
  user: string,
  facts: Facts,
  session: { readonly sessionId: string; readonly ipAddress: string },
): BenchEvent {
  return { ...canonical(`e${index}`, FROM + index, organization, user, facts, session), organization }
}

/** As ingest writes what a producer sent in our own format. */
export function canonical(
  id: string,
  at: number,
  organization: number,
  user: string,
  facts: Facts,
  session: { readonly sessionId: string; readonly ipAddress: string },
): { readonly event: AuditEvent; readonly key: string } {
  const principalId = `org-${organization}:${user}`
  const timestamp = new Date(at).toISOString()
  const targetResourceType = 'Patient'
  const event: AuditEvent = {
    timestamp,
    action: facts.action,
    status: facts.status,
    dataClassification: facts.dataClassification,
    principalId,
    outcomeDescription: facts.outcomeDescription ?? 'ok',
    targetResourceType,
    targetResourceId: facts.targetResourceId ?? 'p-0',
    recordCount: facts.recordCount ?? 1,
    sessionContext: { ...session, userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36' },
    id,
    receivedAt: timestamp,
    organizationId: organizationId(organization),
    category: categoryOf({ action: facts.action, targetResourceType }),
    operation: operationOf(facts),
    outcome: outcomeOf(facts),
    integrity: 'absent',
    source: { product: 'tocsin', format: 'tocsin', name: 'tocsin' },
  }
  return { event, key: `org-${organization}:${principalId}` }
}

export const organizationId = (organization: number): string =>
  `00000000-0000-4000-8000-${organization.toString(16).padStart(12, '0')}`

import { randomUUID } from 'node:crypto'
import type { AuditEvent } from '@tocsin/contracts'
import { seededRandom } from './random.ts'

export interface EventPlan {
  readonly seed: number
  readonly organizations: number
  /** Of each organization. */
  readonly principals: number
  /** Event time of the first one, milliseconds since 1970. */
  readonly from: number
  /** Event time between one and the next, milliseconds. */
  readonly stepMs: number
}

interface Kind {
  readonly share: number
  readonly event: Pick<
    AuditEvent,
    'action' | 'status' | 'outcome' | 'category' | 'operation' | 'dataClassification' | 'targetResourceType'
  >
}

/** A working day: mostly reads and sessions, some writes, few failures, denials and exports. */
const KINDS: readonly Kind[] = [
  {
    share: 0.6,
    event: {
      action: 'document.read',
      status: 'success',
      outcome: 'success',
      category: 'data',
      operation: 'read',
      dataClassification: 'INTERNAL',
      targetResourceType: 'document',
    },
  },
  {
    share: 0.2,
    event: {
      action: 'document.update',
      status: 'success',
      outcome: 'success',
      category: 'data',
      operation: 'update',
      dataClassification: 'CONFIDENTIAL',
      targetResourceType: 'document',
    },
  },
  {
    share: 0.155,
    event: {
      action: 'session.login',
      status: 'success',
      outcome: 'success',
      category: 'authentication',
      operation: 'login',
      dataClassification: 'INTERNAL',
      targetResourceType: 'session',
    },
  },
  {
    share: 0.03,
    event: {
      action: 'session.login',
      status: 'failure',
      outcome: 'failure',
      category: 'authentication',
      operation: 'login',
      dataClassification: 'INTERNAL',
      targetResourceType: 'session',
    },
  },
  {
    share: 0.005,
    event: {
      action: 'document.read',
      status: 'failure',
      outcome: 'denied',
      category: 'data',
      operation: 'read',
      dataClassification: 'CONFIDENTIAL',
      targetResourceType: 'document',
    },
  },
  {
    share: 0.01,
    event: {
      action: 'report.export',
      status: 'success',
      outcome: 'success',
      category: 'data',
      operation: 'export',
      dataClassification: 'PHI',
      targetResourceType: 'report',
    },
  },
]

/** Canonical events of about 550 bytes, the same for the same plan but for the organizations' ids. */
export function eventSource(plan: EventPlan): () => { readonly event: AuditEvent; readonly organization: number } {
  const random = seededRandom(plan.seed)
  const pick = (count: number) => Math.floor(random() * count)
  const organizationIds = Array.from({ length: plan.organizations }, () => randomUUID())
  let index = 0
  return () => {
    const organization = pick(plan.organizations)
    const principal = pick(plan.principals)
    const timestamp = new Date(plan.from + Math.floor(index * plan.stepMs)).toISOString()
    const event: AuditEvent = {
      id: `ev-${plan.seed}-${index.toString(36).padStart(8, '0')}`,
      timestamp,
      receivedAt: timestamp,
      organizationId: organizationIds[organization] as string,
      ...kindAt(random()),
      principalId: `user-${principal}@example.com`,
      principalType: 'user',
      targetResourceId: `resource-${pick(50_000)}`,
      ...(random() < 0.1 ? { recordCount: 1 + pick(12) } : {}),
      sessionContext: {
        sessionId: `s-${organization}-${principal}`,
        ipAddress: `10.${organization % 256}.${principal % 256}.${pick(4)}`,
        userAgent: 'Mozilla/5.0',
      },
      integrity: 'absent',
      source: { format: 'tocsin', product: 'bench', name: 'bench' },
    }
    index += 1
    return { event, organization }
  }
}

function kindAt(point: number): Kind['event'] {
  let rest = point
  for (const { share, event } of KINDS) {
    if (rest < share) return event
    rest -= share
  }
  return (KINDS[0] as Kind).event
}

import { alertFor, notFound } from '@tocsin/access'
import { type AlertWithEvidence, type EvidenceFormat, OPERATIONS_TABLE } from '@tocsin/contracts'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool } from '@tocsin/postgres'
import { csvLine } from '../core/csv.ts'
import { ocsfFinding } from '../core/ocsf-finding.ts'
import type { EvidenceReads } from '../evidence-reads.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { AlertList, EVERY_ALERT } from '../repositories/alert-list.ts'
import { getAlert } from '../repositories/alerts.ts'
import { authorizeCaller } from './authentication.ts'

const DEFAULT_RELATED = 20

export interface EvidenceRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly evidenceReads: EvidenceReads
}

export function evidenceRoutes(app: HttpServer, { pool, cipher, evidenceReads }: EvidenceRoutes): void {
  route(app, OPERATIONS_TABLE.getEvidence, async ({ params, query: asked, request, reply }) => {
    const { organizationId, actor } = authorizeCaller(request, {
      organizationId: asked.organizationId,
      permission: 'sensitive:read',
      what: 'alert',
    })
    await cipher.load([organizationId])
    const alert = await inOrganization(
      pool,
      organizationId,
      (query) => getAlert(query, cipher, organizationId, params.id),
      'snapshot',
    )
    if (alert === null) throw notFound('alert')
    await evidenceReads.record({ organizationId, alertId: alert.id, actor }, Date.now())
    const { type, write } = FORMATS[asked.format ?? 'json']
    reply.type(type)
    return write(alert)
  })

  route(app, OPERATIONS_TABLE.listRelatedAlerts, async ({ params, query: asked, request }) => {
    const { organizationId, permissions } = authorizeCaller(request, {
      organizationId: asked.organizationId,
      permission: 'sensitive:read',
      what: 'alert',
    })
    const limit = asked.limit ?? DEFAULT_RELATED
    await cipher.load([organizationId])
    return inOrganization(
      pool,
      organizationId,
      async (query) => {
        const alert = await getAlert(query, cipher, organizationId, params.id)
        if (alert === null) throw notFound('alert')
        const subjects = Object.values(alert.group)
        const list = subjects.length === 0 ? null : AlertList.begin(query, organizationId, { ...EVERY_ALERT, subjects })
        // The alert itself may be among them.
        const found = (await list?.page(cipher, { sort: 'created', order: 'desc' }, null, limit + 1)) ?? []
        const others = found.filter((each) => each.alert.id !== alert.id)
        return { items: others.slice(0, limit).map((each) => alertFor(permissions, each.alert)) }
      },
      'snapshot',
    )
  })
}

/** A text is sent as it is; anything else by the operation's schema. */
const FORMATS: Readonly<
  Record<EvidenceFormat, { readonly type: string; readonly write: (alert: AlertWithEvidence) => string | object }>
> = {
  json: { type: 'application/json', write: ({ id, revision, evidence }) => ({ alertId: id, revision, evidence }) },
  ocsf: { type: 'application/json', write: (alert) => JSON.stringify(ocsfFinding(alert)) },
  csv: {
    type: 'text/csv; charset=utf-8',
    write: ({ evidence }) => [CSV_COLUMNS, ...evidence.map(cellsOf)].map(csvLine).join(''),
  },
}

const CSV_COLUMNS = [
  'id',
  't',
  'subject',
  'action',
  'outcome',
  'target',
  'ip',
  'recordCount',
  'classification',
  'topic',
  'partition',
  'offset',
] as const
const cellsOf = (event: AlertWithEvidence['evidence'][number]) => CSV_COLUMNS.map((column) => event[column] ?? null)

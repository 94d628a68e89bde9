import { alertFor, notFound } from '@tocsin/access'
import { OPERATIONS_TABLE } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool } from '@tocsin/postgres'
import type { FastifyRequest } from 'fastify'
import type { AnswerCache } from '../answer-cache.ts'
import type { EvidenceReads } from '../evidence-reads.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { getAlert } from '../repositories/alerts.ts'
import { type Authorized, authorizeCaller, callerOf } from './authentication.ts'
import { etagOf } from './preconditions.ts'

export interface AlertRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly cache: AnswerCache
  readonly evidenceReads: EvidenceReads
}

export function alertRoutes(app: HttpServer, { pool, cipher, cache, evidenceReads }: AlertRoutes): void {
  route(app, OPERATIONS_TABLE.getAlert, async ({ params: { id }, query: asked, request, reply }) => {
    const { organizationId, reader } = readableOrganization(request, asked.organizationId)
    await cipher.load([organizationId])
    const read = () => inOrganization(pool, organizationId, (query) => getAlert(query, cipher, organizationId, id), 'snapshot')
    // The gateway asks for what a record has just told of: never for what was remembered before it.
    const alert = reader === null ? await read() : await cache.remember(organizationId, `alert ${id.toLowerCase()}`, read)
    if (alert === null) throw notFound('alert')
    reply.header('etag', etagOf(alert))
    if (reader === null) return alert
    if (reader.permissions.has('sensitive:read') && alert.evidence.length > 0)
      await evidenceReads.record({ organizationId, alertId: alert.id, actor: reader.actor }, Date.now())
    return alertFor(reader.permissions, alert)
  })
}

/** Services read one alert, whole (reader null), of an organization that they name: the gateway joins halves with it. */
function readableOrganization(
  request: FastifyRequest,
  asked: string | undefined,
): { readonly organizationId: string; readonly reader: Authorized | null } {
  if (callerOf(request).kind !== 'service') {
    const reader = authorizeCaller(request, { organizationId: asked, permission: 'alerts:read', what: 'alert' })
    return { organizationId: reader.organizationId, reader }
  }
  if (asked === undefined)
    throw new HttpProblem(400, 'ORGANIZATION_REQUIRED', 'A service names the organization: ?organizationId=…')
  return { organizationId: asked, reader: null }
}

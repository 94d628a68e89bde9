import { alertFor, notFound } from '@tocsin/access'
import { OPERATIONS_TABLE, type Permission } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool } from '@tocsin/postgres'
import type { FastifyRequest } from 'fastify'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { getAlert } from '../repositories/alerts.ts'
import { authorizeCaller, callerOf } from './authentication.ts'
import { etagOf } from './preconditions.ts'

export interface AlertRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
}

export function alertRoutes(app: HttpServer, { pool, cipher }: AlertRoutes): void {
  route(app, OPERATIONS_TABLE.getAlert, async ({ params, query: asked, request, reply }) => {
    const { organizationId, permissions } = readableOrganization(request, asked.organizationId)
    await cipher.load([organizationId])
    const alert = await inOrganization(
      pool,
      organizationId,
      (query) => getAlert(query, cipher, organizationId, params.id),
      'snapshot',
    )
    if (alert === null) throw notFound('alert')
    reply.header('etag', etagOf(alert))
    return permissions === null ? alert : alertFor(permissions, alert)
  })
}

/** Services read one alert, whole (permissions null), of an organization that they name: the gateway joins halves with it. */
function readableOrganization(
  request: FastifyRequest,
  asked: string | undefined,
): { readonly organizationId: string; readonly permissions: ReadonlySet<Permission> | null } {
  if (callerOf(request).kind !== 'service')
    return authorizeCaller(request, { organizationId: asked, permission: 'alerts:read', what: 'alert' })
  if (asked === undefined)
    throw new HttpProblem(400, 'ORGANIZATION_REQUIRED', 'A service names the organization: ?organizationId=…')
  return { organizationId: asked, permissions: null }
}

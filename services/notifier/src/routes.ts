import { type AccessDirectory, authorize, type KeyRing, notFound, verifyToken } from '@tocsin/access'
import { OPERATIONS_TABLE } from '@tocsin/contracts'
import { createHttpServer, type HttpServer, route } from '@tocsin/http'
import type { Pool } from '@tocsin/postgres'
import type { Logger } from '@tocsin/telemetry'
import { listEntries } from './ledger/entries.ts'

/** The notifier's part of the API. */
export function createRoutes(deps: {
  readonly pool: Pool
  readonly keys: KeyRing
  readonly access: AccessDirectory
  readonly log: Logger
}): HttpServer {
  const app = createHttpServer({ log: deps.log })
  route(app, OPERATIONS_TABLE.listNotifications, async ({ params, query, request }) => {
    const token = await verifyToken(deps.keys, bearerOf(request.headers.authorization))
    const { organizationId } = authorize(deps.access.admit(token), {
      organizationId: query.organizationId,
      permission: 'alerts:read',
      what: 'alert',
    })
    const items = await listEntries(deps.pool, organizationId, params.id)
    if (items === null) throw notFound('alert')
    return { items }
  })
  return app
}

const bearerOf = (header: string | undefined): string | undefined => /^Bearer ([^\s]+)$/i.exec(header ?? '')?.[1]

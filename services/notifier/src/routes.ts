import { type AccessDirectory, authorize, can, type KeyRing, MASKED, notFound, verifyToken } from '@tocsin/access'
import { type NotificationEntry, OPERATIONS_TABLE } from '@tocsin/contracts'
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
    const { organizationId, role } = authorize(deps.access.admit(token), {
      organizationId: query.organizationId,
      permission: 'alerts:read',
      what: 'alert',
    })
    const items = await listEntries(deps.pool, organizationId, params.id)
    if (items === null) throw notFound('alert')
    // An address of somebody who was told is as sensitive as the alert.
    return { items: can(role, 'sensitive:read') ? items : items.map(masked) }
  })
  return app
}

const masked = (entry: NotificationEntry): NotificationEntry => ({
  ...entry,
  destination: entry.destination === null ? null : MASKED,
  providerId: entry.providerId === null ? null : MASKED,
})

const bearerOf = (header: string | undefined): string | undefined => /^Bearer ([^\s]+)$/i.exec(header ?? '')?.[1]

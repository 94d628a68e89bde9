import { OPERATIONS_TABLE } from '@tocsin/contracts'
import { type HttpServer, route } from '@tocsin/http'
import type { Pool } from '@tocsin/postgres'
import type { PersistenceMetrics } from '../metrics.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { ACT_PERMISSIONS, commandOf } from './act-command.ts'
import { actOnMany, wantedOf } from './act-on-many.ts'
import { authorizeCaller } from './authentication.ts'

export interface BulkRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly metrics: PersistenceMetrics
}

export function bulkRoutes(app: HttpServer, deps: BulkRoutes): void {
  route(app, OPERATIONS_TABLE.actOnAlerts, async ({ query: asked, body, request, reply }) => {
    const { organizationId, actor, permissions } = authorizeCaller(request, {
      organizationId: asked.organizationId,
      permission: ACT_PERMISSIONS[body.do.act],
      what: 'organization',
    })
    const wanted = wantedOf(body.ids, body.filter, permissions)
    const act = { wanted, command: commandOf(body.do), dryRun: body.dryRun === true }
    return actOnMany({ ...deps, request, reply, organizationId, actor }, act)
  })
}

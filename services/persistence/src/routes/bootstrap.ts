import { isReservedSubject } from '@tocsin/access'
import { OPERATIONS_TABLE } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import type { Pool } from '@tocsin/postgres'
import { NO_RECIPIENTS } from '../core/organization-settings.ts'
import { createOrganization } from '../create-organization.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { changeAccess } from '../repositories/access.ts'
import { MAKE_FIRST_OPERATOR } from '../sql/member-sql.ts'
import { callerOf } from './authentication.ts'
import { originOf } from './headers.ts'

const CALLER = 'bootstrap'

/** The first operator, organization and admin of an installation, for whoever holds its key ring (`tocsin bootstrap`). */
export function bootstrapRoute(app: HttpServer, deps: { readonly pool: Pool; readonly cipher: FieldCipher }): void {
  route(
    app,
    OPERATIONS_TABLE.bootstrap,
    async ({ body, request }) => {
      const caller = callerOf(request)
      if (caller.kind !== 'service' || caller.name !== CALLER)
        throw new HttpProblem(403, 'FORBIDDEN', 'Only tocsin bootstrap, with the key ring of the installation, may do this.')
      for (const subject of [body.admin, body.operator])
        if (isReservedSubject(subject)) throw new HttpProblem(422, 'RESERVED_SUBJECT', `${subject} is a name of the system.`)
      const wanted = {
        name: body.organization,
        slug: undefined,
        settings: {},
        recipients: NO_RECIPIENTS,
        admin: body.admin,
        actor: body.operator,
        channel: 'cli' as const,
        ip: originOf(request).ip,
      }
      const { organizationId, slug, ingestKey } = await createOrganization(deps, wanted, async (query) => {
        const [row] = await query<{ made: boolean }>(MAKE_FIRST_OPERATOR, [body.operator])
        if (row?.made !== true)
          throw new HttpProblem(409, 'ALREADY_BOOTSTRAPPED', 'There is an operator already. Sign in as that one instead.')
        await changeAccess(query, body.operator, null, async () => {})
      })
      return { organizationId, slug, ingestKey }
    },
    201,
  )
}

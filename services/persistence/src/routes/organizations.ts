import { issueToken, type KeyRing, notFound, recipientsFor } from '@tocsin/access'
import { OPERATIONS_TABLE, type Organization, type OrganizationSettings, type Recipients } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool } from '@tocsin/postgres'
import { healthOf, NO_RECIPIENTS, settingsFaults, warningsOf, withSettings } from '../core/organization-settings.ts'
import { createOrganization } from '../create-organization.ts'
import { type OrganizationState, readOrganization, tenantRecord } from '../repositories/organizations.ts'
import { addToOutbox, tenantRecords } from '../repositories/outbox.ts'
import { CHANGE_ORGANIZATION } from '../sql/organization-sql.ts'
import { authorizeCaller, subjectOf } from './authentication.ts'

const DAY_SECONDS = 86_400

export interface OrganizationRoutes {
  readonly pool: Pool
  readonly ring: KeyRing
  readonly environment: 'development' | 'production'
}

export function organizationRoutes(app: HttpServer, { pool, ring, environment }: OrganizationRoutes): void {
  // In development the token of connection.json outlives many starts; elsewhere it is for the first sign-in.
  const ttlSeconds = environment === 'development' ? 365 * DAY_SECONDS : DAY_SECONDS

  route(
    app,
    OPERATIONS_TABLE.createOrganization,
    async ({ body, request }) => {
      const { access } = subjectOf(request)
      if (!access.operator) throw new HttpProblem(403, 'FORBIDDEN', 'Only an operator of the installation creates organizations.')
      const recipients = { ...NO_RECIPIENTS, ...body.recipients }
      const settings = body.settings ?? {}
      refuseFaults(settings, recipients)
      const { organizationId, slug, ingestKey, adminSubject } = await createOrganization(pool, {
        name: body.name,
        slug: body.slug,
        settings,
        recipients,
      })
      const token = await issueToken(ring, { subject: adminSubject, ttlSeconds })
      return { organizationId, slug, ingestKey, token, warnings: warningsOf(recipients) }
    },
    201,
  )

  route(app, OPERATIONS_TABLE.getOrganization, async ({ params, request }) => {
    const { organizationId, permissions } = authorizeCaller(request, {
      organizationId: params.organizationId,
      permission: 'organization:read',
      what: 'organization',
    })
    const state = await inOrganization(pool, organizationId, (query) => readOrganization(query, organizationId), 'snapshot')
    if (state === null) throw notFound('organization')
    const answer = answerOf(state)
    return { ...answer, recipients: recipientsFor(permissions, answer.recipients) }
  })

  route(app, OPERATIONS_TABLE.updateOrganization, async ({ params, body, request }) => {
    const { organizationId } = authorizeCaller(request, {
      organizationId: params.organizationId,
      permission: 'settings:write',
      what: 'organization',
    })
    return inOrganization(pool, organizationId, async (query) => {
      const state = await readOrganization(query, organizationId, true)
      if (state === null) throw notFound('organization')
      const next: OrganizationState = {
        ...state,
        version: state.version + 1,
        settings: withSettings(state.settings, body.settings),
        recipients: { ...state.recipients, ...body.recipients },
      }
      refuseFaults(next.settings, body.recipients ?? {})
      await query(CHANGE_ORGANIZATION, [organizationId, JSON.stringify(next.settings), JSON.stringify(next.recipients)])
      await addToOutbox(query, tenantRecords(await tenantRecord(query, next)))
      return answerOf(next)
    })
  })
}

function refuseFaults(settings: OrganizationSettings, recipients: Partial<Recipients>): void {
  const errors = settingsFaults(settings, recipients)
  if (errors.length > 0)
    throw new HttpProblem(422, 'INVALID_SETTINGS', errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; '), {
      extra: { errors },
    })
}

const answerOf = ({ organizationId, slug, name, version, settings, recipients }: OrganizationState): Organization => ({
  organizationId,
  slug,
  name,
  version,
  settings,
  recipients,
  health: healthOf(recipients),
})

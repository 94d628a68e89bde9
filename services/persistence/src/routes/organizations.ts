import { issueToken, type KeyRing, notFound, recipientsFor } from '@tocsin/access'
import {
  OPERATIONS_TABLE,
  type Organization,
  type OrganizationSettings,
  type Recipients,
  type RuleException,
} from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool, type Query } from '@tocsin/postgres'
import type { AnswerCache } from '../answer-cache.ts'
import { healthOf, NO_RECIPIENTS, settingsFaults, warningsOf, withSettings } from '../core/organization-settings.ts'
import { createOrganization } from '../create-organization.ts'
import { deleteOrganization } from '../delete-organization.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { asSubject } from '../repositories/access.ts'
import { listDeletions } from '../repositories/deletions.ts'
import { addHistory } from '../repositories/history.ts'
import { changeOrganization, listOrganizations, type OrganizationState, readOrganization } from '../repositories/organizations.ts'
import type { RuleWorkers } from '../rule-work/rule-workers.ts'
import { criticalHiddenBy } from '../rules/hidden-alerts.ts'
import { CRITICAL_DAYS, tellOfHidden } from '../rules/tell-of-hidden.ts'
import { authorizeCaller, operatorOf } from './authentication.ts'
import { originOf } from './headers.ts'
import { type WriteContext, write } from './write.ts'

const DAY_SECONDS = 86_400
const DEFAULT_LIMIT = 100

export interface OrganizationRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly cache: AnswerCache
  readonly ring: KeyRing
  readonly environment: 'development' | 'production'
  readonly workers: RuleWorkers
}

export function organizationRoutes(app: HttpServer, parts: OrganizationRoutes): void {
  const { pool, cipher, cache, ring, environment, workers } = parts
  // In development the token of connection.json outlives many starts; elsewhere it is for the first sign-in.
  const ttlSeconds = environment === 'development' ? 365 * DAY_SECONDS : DAY_SECONDS

  route(
    app,
    OPERATIONS_TABLE.createOrganization,
    async ({ body, request }) => {
      const actor = operatorOf(request)
      const recipients = { ...NO_RECIPIENTS, ...body.recipients }
      const settings = body.settings ?? {}
      refuseFaults(settings, recipients)
      const { organizationId, slug, ingestKey, adminSubject } = await createOrganization(
        { pool, cipher },
        { name: body.name, slug: body.slug, settings, recipients, admin: undefined, actor, ...originOf(request) },
      )
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

  /** Locks, changes by `next`, publishes and remembers; `action` with `details` is what the history says. */
  const change = async (
    by: Pick<WriteContext, 'request' | 'reply' | 'organizationId' | 'actor'> & {
      readonly action: string
      readonly details: object
      /** Exceptions that it adds, with the CRITICAL alerts that they would have hidden. */
      readonly hiding?: Awaited<ReturnType<typeof criticalHiddenBy>>
    },
    next: (state: OrganizationState) => OrganizationState,
  ): Promise<OrganizationState> => {
    const { organizationId, actor, action, details, hiding = [] } = by
    return write({ pool, cipher, ...by }, async (query) => {
      const state = await readOrganization(query, organizationId, true)
      if (state === null) throw notFound('organization')
      const changed = await changeOrganization(query, next(state))
      await addHistory(query, cipher, {
        organizationId,
        at: new Date().toISOString(),
        actor,
        ...originOf(by.request),
        action,
        about: { kind: 'organization', id: organizationId, version: changed.version },
        details: { ...details },
      })
      for (const each of hiding)
        await tellOfHidden(query, cipher, { organization: state, actor, action, what: 'exception', ...each })
      return changed
    })
  }

  const hidingOf = async (organizationId: string, exceptions: readonly RuleException[]) => {
    if (exceptions.length === 0) return []
    refuseFaults({ exceptions: [...exceptions] }, {})
    const state = await inOrganization(pool, organizationId, (query) => readOrganization(query, organizationId), 'snapshot')
    const before = state?.settings.exceptions ?? []
    return criticalHiddenBy({ pool, cipher, workers }, organizationId, { before, after: exceptions, days: CRITICAL_DAYS })
  }

  route(app, OPERATIONS_TABLE.updateOrganization, async ({ params, body, request, reply }) => {
    const { organizationId, actor } = authorizeCaller(request, {
      organizationId: params.organizationId,
      permission: 'settings:write',
      what: 'organization',
    })
    const by = { request, reply, organizationId, actor, action: 'organization.changed', details: { changes: body } }
    const hiding = await hidingOf(organizationId, body.settings?.exceptions ?? [])
    return answerOf(
      await change({ ...by, hiding }, (state) => {
        const settings = withSettings(state.settings, body.settings)
        refuseFaults(settings, body.recipients ?? {})
        return { ...state, name: body.name ?? state.name, settings, recipients: { ...state.recipients, ...body.recipients } }
      }),
    )
  })

  /** Reads what only operators see. */
  const asOperator = <T>(operator: string, read: (query: Query) => Promise<T>): Promise<T> =>
    asSubject(pool, operator, read, 'snapshot')

  route(app, OPERATIONS_TABLE.listOrganizations, async ({ query: asked, request }) => {
    const operator = operatorOf(request)
    return asOperator(operator, (query) => listOrganizations(query, asked.after ?? '', asked.limit ?? DEFAULT_LIMIT))
  })

  route(
    app,
    OPERATIONS_TABLE.deleteOrganization,
    async ({ params, body, request }) => {
      const actor = operatorOf(request)
      const { organizationId } = params
      const deletion = await deleteOrganization({ pool, cipher }, { ...body, organizationId, actor, ...originOf(request) })
      if (deletion === null) throw notFound('organization')
      await cache.changed([organizationId])
      return deletion
    },
    202,
  )

  route(app, OPERATIONS_TABLE.listDeletions, async ({ request }) => ({
    items: await asOperator(operatorOf(request), listDeletions),
  }))

  route(app, OPERATIONS_TABLE.setLimits, async ({ params, body, request, reply }) => {
    const actor = operatorOf(request)
    const { organizationId } = params
    const exists = await inOrganization(pool, organizationId, (query) => readOrganization(query, organizationId), 'snapshot')
    // Before a data key would be made for an organization that there is not.
    if (exists === null) throw notFound('organization')
    const by = { request, reply, organizationId, actor, action: 'organization.limited', details: { limits: body } }
    return (await change(by, (state) => ({ ...state, limits: body }))).limits
  })
}

function refuseFaults(settings: OrganizationSettings, recipients: Partial<Recipients>): void {
  const errors = settingsFaults(settings, recipients)
  if (errors.length > 0)
    throw new HttpProblem(422, 'INVALID_SETTINGS', errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; '), {
      extra: { errors },
    })
}

const answerOf = ({ organizationId, slug, name, version, settings, recipients, limits }: OrganizationState): Organization => ({
  organizationId,
  slug,
  name,
  version,
  settings,
  recipients,
  limits,
  health: healthOf(recipients),
})

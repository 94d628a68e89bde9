import { randomUUID } from 'node:crypto'
import { notFound } from '@tocsin/access'
import { type HiddenAlerts, OPERATIONS_TABLE, type RuleException } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization } from '@tocsin/postgres'
import type { FastifyRequest } from 'fastify'
import { settingsFaults } from '../core/organization-settings.ts'
import { getAlert } from '../repositories/alerts.ts'
import { addHistory } from '../repositories/history.ts'
import { changeOrganization, readOrganization } from '../repositories/organizations.ts'
import { hiddenBy } from '../rules/hidden-alerts.ts'
import { authorizeCaller } from './authentication.ts'
import { channelOf } from './headers.ts'
import type { RuleRoutes } from './rules.ts'
import { type WriteContext, write } from './write.ts'

const PROPOSED_DAYS = 30
/** An exception that would have hidden a CRITICAL alert of these days is told of (security.md §5). */
const CRITICAL_DAYS = 7
const DAY_MS = 86_400_000

interface Asked {
  readonly query: { readonly organizationId?: string | undefined }
  readonly request: FastifyRequest
}

export function exceptionRoutes(app: HttpServer, parts: RuleRoutes): void {
  const { pool, cipher } = parts
  const authorized = ({ query: { organizationId }, request }: Asked, what = 'exception') =>
    authorizeCaller(request, { organizationId, permission: 'exceptions:write', what })

  /** Changes the list in the settings: row, control record and history in one transaction. */
  const change = async <T>(
    by: Pick<WriteContext, 'request' | 'reply' | 'organizationId' | 'actor'>,
    action: 'exception.added' | 'exception.removed',
    next: (present: readonly RuleException[]) => {
      readonly list: RuleException[]
      readonly about: RuleException
      readonly details?: object
      readonly answer: T
    },
  ): Promise<T> => {
    const { request, organizationId, actor } = by
    return write({ pool, cipher, ...by }, async (query) => {
      const state = await readOrganization(query, organizationId, true)
      if (state === null) throw notFound('organization')
      const { list, about, details = {}, answer } = next(state.settings.exceptions ?? [])
      const settings = { ...state.settings, exceptions: list }
      const errors = settingsFaults(settings, {})
      if (errors.length > 0)
        throw new HttpProblem(422, 'INVALID_SETTINGS', errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; '), {
          extra: { errors },
        })
      await changeOrganization(query, { ...state, settings })
      await addHistory(query, cipher, {
        organizationId,
        at: new Date().toISOString(),
        actor,
        channel: channelOf(request),
        action,
        about: { kind: 'exception', id: about.id },
        details: { ...about, ...details },
      })
      return answer
    })
  }

  route(app, OPERATIONS_TABLE.listExceptions, async (asked) => {
    const { organizationId } = authorized(asked)
    const state = await inOrganization(pool, organizationId, (query) => readOrganization(query, organizationId), 'snapshot')
    if (state === null) throw notFound('organization')
    const now = Date.now()
    return {
      items: (state.settings.exceptions ?? []).map((exception) => ({
        ...exception,
        expired: exception.expiresAt !== null && Date.parse(exception.expiresAt) <= now,
      })),
    }
  })

  route(
    app,
    OPERATIONS_TABLE.addException,
    async (asked) => {
      const { organizationId, actor } = authorized(asked)
      const { id = randomUUID(), ruleId, match, reason, expiresAt } = asked.body
      const exception: RuleException = { id, ruleId, match, reason, owner: actor, expiresAt }
      const hidden = await hiddenBy(parts, organizationId, { ruleId, match, days: CRITICAL_DAYS })
      const critical = hidden.hidden.filter(({ severity }) => severity === 'CRITICAL')
      const { request, reply } = asked
      return change({ organizationId, actor, request, reply }, 'exception.added', (present) => ({
        list: [...present, exception],
        about: exception,
        details: { wouldHaveHidden: hidden.hidden.length, criticalHidden: critical.map((alert) => alert.id) },
        answer: { exception, hidden, warnings: warningsOf(critical) },
      }))
    },
    201,
  )

  route(app, OPERATIONS_TABLE.removeException, async (asked) => {
    const { organizationId, actor } = authorized(asked)
    const { request, reply } = asked
    return change({ organizationId, actor, request, reply }, 'exception.removed', (present) => {
      const about = present.find(({ id }) => id === asked.params.exceptionId)
      if (about === undefined) throw notFound('exception')
      return { list: present.filter((each) => each !== about), about, answer: about }
    })
  })

  route(app, OPERATIONS_TABLE.previewException, async (asked) => {
    const { organizationId } = authorized(asked)
    const { ruleId, match, days = CRITICAL_DAYS } = asked.body
    return hiddenBy(parts, organizationId, { ruleId, match, days })
  })

  route(app, OPERATIONS_TABLE.proposeException, async (asked) => {
    const { organizationId, actor } = authorized(asked, 'alert')
    await cipher.load([organizationId])
    const alert = await inOrganization(
      pool,
      organizationId,
      (query) => getAlert(query, cipher, organizationId, asked.params.id),
      'snapshot',
    )
    if (alert === null) throw notFound('alert')
    const matcher = { ruleId: alert.rule.id, match: alert.group, days: PROPOSED_DAYS }
    const hidden = await hiddenBy(parts, organizationId, matcher)
    return { ...matcher, owner: actor, expiresAt: new Date(Date.now() + PROPOSED_DAYS * DAY_MS).toISOString(), hidden }
  })
}

const warningsOf = (critical: HiddenAlerts['hidden']): string[] =>
  critical.map(
    ({ id, title }) =>
      `CRITICAL_HIDDEN: it would have hidden the CRITICAL alert ${id} of the last ${CRITICAL_DAYS} days: ${title}`,
  )

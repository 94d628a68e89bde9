import { randomUUID } from 'node:crypto'
import { notFound } from '@tocsin/access'
import { type HiddenAlerts, OPERATIONS_TABLE, type RuleException } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization } from '@tocsin/postgres'
import type { FastifyRequest } from 'fastify'
import { settingsFaults } from '../core/organization-settings.ts'
import type { FollowedHits } from '../exception-hits.ts'
import { getAlert } from '../repositories/alerts.ts'
import { addHistory } from '../repositories/history.ts'
import { changeOrganization, readOrganization } from '../repositories/organizations.ts'
import { criticalAmong, hiddenBy } from '../rules/hidden-alerts.ts'
import { CRITICAL_DAYS, tellOfHidden } from '../rules/tell-of-hidden.ts'
import { authorizeCaller } from './authentication.ts'
import { originOf } from './headers.ts'
import type { RuleRoutes } from './rules.ts'
import { type WriteContext, write } from './write.ts'

const PROPOSED_DAYS = 30
const DAY_MS = 86_400_000

interface Asked {
  readonly query: { readonly organizationId?: string | undefined }
  readonly request: FastifyRequest
}

export interface ExceptionRoutes extends RuleRoutes {
  readonly exceptionHits: Pick<FollowedHits, 'of'>
}

export function exceptionRoutes(app: HttpServer, parts: ExceptionRoutes): void {
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
      /** CRITICAL alerts of the last days that the change would have hidden. */
      readonly critical?: HiddenAlerts['hidden']
      readonly answer: T
    },
  ): Promise<T> => {
    const { request, organizationId, actor } = by
    return write({ pool, cipher, ...by }, async (query) => {
      const state = await readOrganization(query, organizationId, true)
      if (state === null) throw notFound('organization')
      const { list, about, details = {}, critical = [], answer } = next(state.settings.exceptions ?? [])
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
        ...originOf(request),
        action,
        about: { kind: 'exception', id: about.id },
        details: { ...about, ...details },
      })
      await tellOfHidden(query, cipher, { organization: state, actor, action, what: 'exception', id: about.id, hidden: critical })
      return answer
    })
  }

  route(app, OPERATIONS_TABLE.listExceptions, async (asked) => {
    const { organizationId } = authorized(asked)
    const state = await inOrganization(pool, organizationId, (query) => readOrganization(query, organizationId), 'snapshot')
    if (state === null) throw notFound('organization')
    const now = Date.now()
    const hits = parts.exceptionHits.of(organizationId)
    return {
      items: (state.settings.exceptions ?? []).map((exception) => ({
        ...exception,
        expired: exception.expiresAt !== null && Date.parse(exception.expiresAt) <= now,
        hits: hits.get(exception.id) ?? 0,
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
      const critical = criticalAmong(hidden)
      const { request, reply } = asked
      return change({ organizationId, actor, request, reply }, 'exception.added', (present) => ({
        list: [...present, exception],
        about: exception,
        details: { wouldHaveHidden: hidden.hidden.length, criticalHidden: critical.map((alert) => alert.id) },
        critical,
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

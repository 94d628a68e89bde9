import { notFound } from '@tocsin/access'
import { type Backtest, OPERATIONS_TABLE, type RunBacktest } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Query } from '@tocsin/postgres'
import type { FastifyRequest } from 'fastify'
import type { BacktestJobs } from '../backtests/backtest-jobs.ts'
import type { BacktestTask, EventCluster } from '../backtests/backtest-task.ts'
import { addHistory } from '../repositories/history.ts'
import { readOrganization } from '../repositories/organizations.ts'
import { holding, readRulePair, readVersion } from '../repositories/rules.ts'
import { checkText } from '../rules/check-texts.ts'
import { authorizeCaller } from './authentication.ts'
import { originOf } from './headers.ts'
import type { RuleRoutes } from './rules.ts'

const HOUR_MS = 3_600_000

export interface BacktestRoutes extends RuleRoutes {
  readonly backtests: BacktestJobs
  readonly cluster: EventCluster
}

/** Rules over events of the past, as jobs. Their results show alerts, so both permissions are needed. */
export function backtestRoutes(app: HttpServer, { pool, cipher, workers, backtests, cluster }: BacktestRoutes): void {
  route(
    app,
    OPERATIONS_TABLE.runBacktest,
    async ({ query: asked, body, request, reply }) => {
      const { organizationId, actor } = authorized(request, asked.organizationId)
      refuseUnclear(body)
      const { organization, content } = await inOrganization(
        pool,
        organizationId,
        async (query) => ({
          organization: await readOrganization(query, organizationId),
          content: body.content ?? (await savedText(query, organizationId, body)),
        }),
        'snapshot',
      )
      if (organization === null) throw notFound('organization')
      const { ruleId, hash } = await checkText(workers, { ruleId: body.ruleId ?? null, content })
      const started = backtests.start({
        rule: { ruleId, content },
        organizationId,
        settings: organization.settings,
        events: eventsOf(body, organization.partition, cluster),
      })
      // What the history does not tell of does not run; its id is known to nobody before.
      try {
        await cipher.load([organizationId])
        await inOrganization(pool, organizationId, (query) =>
          addHistory(query, cipher, {
            organizationId,
            at: started.startedAt,
            actor,
            ...originOf(request),
            action: 'rule.backtested',
            about: { kind: 'rule', id: ruleId },
            details: { backtest: started.id, hash, version: body.version ?? null, hours: body.hours ?? null },
          }),
        )
      } catch (error) {
        backtests.cancel(organizationId, started.id)
        throw error
      }
      reply.header('location', `/api/rules/backtests/${started.id}`)
      return started
    },
    202,
  )

  route(app, OPERATIONS_TABLE.getBacktest, async ({ params, query: asked, request }) => {
    const { organizationId } = authorized(request, asked.organizationId)
    return found(backtests.find(organizationId, params.id))
  })

  route(app, OPERATIONS_TABLE.cancelBacktest, async ({ params, query: asked, request }) => {
    const { organizationId } = authorized(request, asked.organizationId)
    return found(backtests.cancel(organizationId, params.id))
  })
}

function authorized(request: FastifyRequest, organizationId: string | undefined) {
  authorizeCaller(request, { organizationId, permission: 'sensitive:read', what: 'backtest' })
  return authorizeCaller(request, { organizationId, permission: 'rules:write', what: 'backtest' })
}

function found(backtest: Backtest | null): Backtest {
  if (backtest === null) throw notFound('backtest')
  return backtest
}

function refuseUnclear({ content, ruleId, version, events, hours }: RunBacktest): void {
  if (content === undefined ? ruleId === undefined : version !== undefined)
    throw new HttpProblem(400, 'INVALID_REQUEST', 'Give a text as content, or name a saved rule by ruleId and perhaps version.')
  if ((events === undefined) === (hours === undefined))
    throw new HttpProblem(400, 'INVALID_REQUEST', 'Give events, or hours of those that are kept, one of both.')
}

/** Of a rule of the organization or of the installation. */
async function savedText(query: Query, organizationId: string, { ruleId = '', version }: RunBacktest): Promise<string> {
  const { own, pack } = await readRulePair(query, organizationId, ruleId)
  const rule = holding([own, pack])
  if (rule === null) throw notFound('rule')
  if (version === undefined) return rule.text.content
  const text = await readVersion(query, rule.organizationId, ruleId, version)
  if (text === null) throw notFound('version of the rule')
  return text.content
}

function eventsOf({ events, hours = 0 }: RunBacktest, partition: number, cluster: EventCluster): BacktestTask['events'] {
  const now = Date.now()
  return events === undefined
    ? { kind: 'kept', cluster, partition, since: now - hours * HOUR_MS }
    : { kind: 'given', text: events, now }
}

import type { KeyRing } from '@tocsin/access'
import { createHttpServer, type FailedAttempts, type HttpServer, trustedProxies } from '@tocsin/http'
import type { Pool } from '@tocsin/postgres'
import type { KeyUse, TokenBuckets } from '@tocsin/redis'
import type { Logger } from '@tocsin/telemetry'
import type { AnswerCache } from './answer-cache.ts'
import { BacktestJobs } from './backtests/backtest-jobs.ts'
import type { EventCluster } from './backtests/backtest-task.ts'
import { EvidenceReads } from './evidence-reads.ts'
import type { FollowedHits } from './exception-hits.ts'
import type { PersistenceMetrics } from './metrics.ts'
import type { FieldCipher } from './protection/field-cipher.ts'
import { Refusals } from './refusals.ts'
import { actRoutes } from './routes/acts.ts'
import { alertExportRoute } from './routes/alert-export.ts'
import { alertListRoutes } from './routes/alert-list.ts'
import { alertRoutes } from './routes/alerts.ts'
import { alertsOfAllRoutes } from './routes/alerts-of-all.ts'
import { authenticator, organizationOf, refusedOf } from './routes/authentication.ts'
import { backtestRoutes } from './routes/backtests.ts'
import { bootstrapRoute } from './routes/bootstrap.ts'
import { bulkRoutes } from './routes/bulk.ts'
import { erasureRoutes } from './routes/erasures.ts'
import { evidenceRoutes } from './routes/evidence.ts'
import { exceptionRoutes } from './routes/exceptions.ts'
import { grantRoutes } from './routes/grants.ts'
import { originOf } from './routes/headers.ts'
import { historyRoutes } from './routes/history.ts'
import { holdRoutes } from './routes/holds.ts'
import { keyRoutes } from './routes/keys.ts'
import { meRoutes } from './routes/me.ts'
import { memberRoutes } from './routes/members.ts'
import { organizationRoutes } from './routes/organizations.ts'
import { raiseRoutes } from './routes/raise.ts'
import { ruleTrialRoutes } from './routes/rule-trials.ts'
import { ruleRoutes } from './routes/rules.ts'
import { signInRoutes } from './routes/sign-ins.ts'
import { statisticsRoutes } from './routes/statistics.ts'
import { refuseUnstorable } from './routes/storable-input.ts'
import { refuseUnkeyed } from './routes/write.ts'
import { RuleWorkers } from './rule-work/rule-workers.ts'

export interface HttpApiOptions {
  /** Of role tocsin_api: the only one that routes ever see. */
  readonly pool: Pool
  /** On the same pool. */
  readonly cipher: FieldCipher
  readonly cache: AnswerCache
  readonly ring: KeyRing
  /** Wrong keys and tokens by address. */
  readonly failures: FailedAttempts
  /** Requests by subject or key. */
  readonly requests: TokenBuckets
  readonly keyUse: KeyUse
  readonly exceptionHits: Pick<FollowedHits, 'of'>
  /** Where backtests read the events that are kept. */
  readonly cluster: EventCluster
  /** TRUSTED_PROXIES: whose X-Forwarded-For tells the address. */
  readonly proxies: string
  readonly environment: 'development' | 'production'
  readonly metrics: PersistenceMetrics
  readonly log: Logger
}

/** Every operation of the contracts' table that is persistence's. Not listening yet. */
export function createHttpApi(options: HttpApiOptions): HttpServer {
  const app = createHttpServer({ log: options.log, settings: { trustProxy: trustedProxies(options.proxies) } })
  // Clients that always name a content type also send it with an act that has no body.
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) =>
    body === '' ? done(null, undefined) : parseJson(request, String(body), done),
  )
  app.addHook('onRequest', authenticator(options))
  app.addHook('preValidation', refuseUnstorable)
  app.addHook('preValidation', refuseUnkeyed)
  // Whatever a request may have changed, nobody is told of it before what was remembered of it is forgotten.
  app.addHook('onSend', async (request, _reply, payload) => {
    const organizationId = organizationOf(request)
    if (request.method !== 'GET' && organizationId !== undefined) await options.cache.changed([organizationId])
    return payload
  })
  const refusals = new Refusals(options)
  app.addHook('onClose', () => refusals.close())
  app.addHook('onSend', async (request, _reply, payload) => {
    const refused = refusedOf(request)
    if (refused !== undefined) {
      const about = { kind: 'operation', id: `${request.method} ${request.routeOptions.url}` } as const
      await refusals.note({ ...refused, ...originOf(request), action: 'access.refused', about, details: {} })
    }
    return payload
  })
  const evidenceReads = new EvidenceReads(options.pool, options.cipher)
  alertListRoutes(app, options)
  alertRoutes(app, { ...options, evidenceReads })
  evidenceRoutes(app, { ...options, evidenceReads })
  statisticsRoutes(app, options)
  alertExportRoute(app, options)
  actRoutes(app, options)
  raiseRoutes(app, options)
  bulkRoutes(app, options)
  alertsOfAllRoutes(app, options)
  grantRoutes(app, options)
  const workers = new RuleWorkers()
  app.addHook('onClose', () => workers.close())
  organizationRoutes(app, { ...options, workers })
  historyRoutes(app, options)
  holdRoutes(app, options)
  erasureRoutes(app, options)
  ruleRoutes(app, { ...options, workers })
  ruleTrialRoutes(app, { ...options, workers })
  exceptionRoutes(app, { ...options, workers })
  const backtests = new BacktestJobs(options)
  app.addHook('onClose', () => backtests.close())
  backtestRoutes(app, { ...options, workers, backtests })
  memberRoutes(app, options)
  keyRoutes(app, options)
  meRoutes(app, options)
  signInRoutes(app, { ...options, refusals })
  bootstrapRoute(app, options)
  return app
}

import { type AlertStatistics, OPERATIONS_TABLE, type TrendBucket } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool } from '@tocsin/postgres'
import type { AnswerCache } from '../answer-cache.ts'
import { readOrganization } from '../repositories/organizations.ts'
import { readStatistics, readTrend, type TimeRange } from '../repositories/statistics.ts'
import { refuseBadValue } from './alert-filter.ts'
import { authorizeCaller } from './authentication.ts'

const HOUR_MS = 3_600_000
const BUCKET_MS: Readonly<Record<TrendBucket, number>> = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 168 * HOUR_MS }
const MOST_BUCKETS = 1_000
const DEFAULT_BUCKETS = 30

export interface StatisticsRoutes {
  readonly pool: Pool
  readonly cache: AnswerCache
}

export const rememberedStatistics = (
  { pool, cache }: StatisticsRoutes,
  organizationId: string,
  range: TimeRange,
): Promise<AlertStatistics> =>
  cache.remember(organizationId, `statistics ${range.from} ${range.to}`, () =>
    inOrganization(pool, organizationId, (query) => readStatistics(query, organizationId, range), 'snapshot'),
  )

/** Nothing in these answers is masked for anybody: what is remembered is the same for all who may read alerts. */
export function statisticsRoutes(app: HttpServer, { pool, cache }: StatisticsRoutes): void {
  route(app, OPERATIONS_TABLE.getStatistics, async ({ query: asked, request }) => {
    const { organizationId } = authorizeCaller(request, {
      organizationId: asked.organizationId,
      permission: 'alerts:read',
      what: 'organization',
    })
    const range = { from: asked.from ?? null, to: asked.to ?? null }
    return rememberedStatistics({ pool, cache }, organizationId, range).catch(refuseBadValue)
  })

  route(app, OPERATIONS_TABLE.getTrend, async ({ query: asked, request }) => {
    const { organizationId } = authorizeCaller(request, {
      organizationId: asked.organizationId,
      permission: 'alerts:read',
      what: 'organization',
    })
    const bucket = asked.bucket ?? 'day'
    const to = asked.to ?? new Date().toISOString()
    const from = asked.from ?? new Date(Date.parse(to) - (DEFAULT_BUCKETS - 1) * BUCKET_MS[bucket]).toISOString()
    if (Date.parse(to) - Date.parse(from) > MOST_BUCKETS * BUCKET_MS[bucket])
      throw new HttpProblem(
        400,
        'INVALID_REQUEST',
        `That is more than ${MOST_BUCKETS} ${bucket}s. Ask for less, or for longer buckets.`,
      )
    return inOrganization(
      pool,
      organizationId,
      async (query) => {
        const organization = await readOrganization(query, organizationId)
        return readTrend(query, organizationId, { bucket, zone: organization?.settings.zone ?? 'UTC', from, to })
      },
      'snapshot',
    ).catch(refuseBadValue)
  })
}

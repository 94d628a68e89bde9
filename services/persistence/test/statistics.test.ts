import {
  ALERT_STATUSES,
  ALERT_TYPES,
  type Alert,
  type AlertFigures,
  type AlertStatistics,
  type AlertTrend,
  SEVERITIES,
} from '@tocsin/contracts'
import { queryOf } from '@tocsin/postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FieldCipher } from '../src/protection/field-cipher.ts'
import { applyFigures } from '../src/repositories/alerts.ts'
import { createWorld, figuresOf, type World } from './world.ts'

const ALERTS = 240
const OBJECTIVES = { CRITICAL: 900, HIGH: 3_600, MEDIUM: 14_400, LOW: 86_400, INFO: null } as const

let world: World
let acme: Awaited<ReturnType<World['newOrganization']>>
let alerts: Alert[]
beforeAll(async () => {
  world = await createWorld()
  acme = await world.newOrganization('Statistics')
  const cipher = new FieldCipher(world.workerPool, world.ring.fields)
  const one = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)] as T
  for (const organization of [acme, await world.newOrganization('Other')]) {
    await cipher.load([organization.organizationId])
    const figures = Array.from({ length: ALERTS }, (): AlertFigures => {
      const createdAt = new Date(Date.UTC(2026, 2, 1) + Math.random() * 60 * 86_400_000).toISOString()
      return figuresOf(organization.organizationId, {
        type: one(ALERT_TYPES),
        severity: one(SEVERITIES),
        source: one(['detector', 'monitor', 'api:x']),
        rule: { id: `rule-${one([1, 2, 3])}`, name: one(['Old name', 'New name']), version: 1, hash: '' },
        metadata: Math.random() < 0.1 ? { mergedInto: crypto.randomUUID() } : {},
        createdAt,
        updatedAt: createdAt,
      })
    })
    await applyFigures(queryOf(world.workerPool), cipher, figures)
  }
  // As people leave it: each in one state, some acknowledged on the way.
  await world.admin(
    `UPDATE alerts SET status = s.status,
            acknowledged_at = CASE WHEN s.r < 0.6 AND s.status <> 'active' THEN created_at + s.r * interval '2 days' END,
            resolved_at = CASE s.status WHEN 'resolved' THEN created_at + s.r * interval '9 days' END,
            dismiss_reason = CASE s.status WHEN 'dismissed' THEN (ARRAY['false positive', 'benign'])[1 + (s.r * 2)::integer % 2] END
       FROM (SELECT id, random() AS r, ($1::text[])[1 + floor(random() * 4)::integer] AS status FROM alerts) AS s WHERE s.id = alerts.id`,
    [ALERT_STATUSES],
  )
  alerts = []
  let cursor = ''
  do {
    const { body } = await world.ask('GET', `/api/alerts?limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`, acme.token)
    alerts.push(...body.items)
    cursor = body.nextCursor ?? ''
  } while (cursor !== '')
})
afterAll(() => world.close())

const read = async (query = ''): Promise<AlertStatistics> =>
  (await world.ask('GET', `/api/alerts/statistics${query}`, acme.token)).body

/** As percentile_cont has it. */
function quantile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]]
  return low === undefined || high === undefined ? null : low + (high - low) * (place - Math.floor(place))
}
const seconds = (from: string, to: string | null) => (to === null ? [] : [(Date.parse(to) - Date.parse(from)) / 1_000])

describe('statistics', () => {
  test('are disjoint in each dimension, sum to the total, and are what a count by hand gives', async () => {
    const found = await read()
    expect(found.total).toBe(alerts.length)
    expect(found.total + found.merged).toBe(ALERTS)
    const count = (of: (alert: Alert) => string) => {
      const counts: Record<string, number> = {}
      for (const alert of alerts) counts[of(alert)] = (counts[of(alert)] ?? 0) + 1
      return counts
    }
    const withZeros = (words: readonly string[], counts: Record<string, number>) => ({
      ...Object.fromEntries(words.map((word) => [word, 0])),
      ...counts,
    })
    expect(found.byStatus).toEqual(
      withZeros(
        ALERT_STATUSES,
        count(({ status }) => status),
      ),
    )
    expect(found.bySeverity).toEqual(
      withZeros(
        SEVERITIES,
        count(({ severity }) => severity),
      ),
    )
    expect(found.byType).toEqual(
      withZeros(
        ALERT_TYPES,
        count(({ type }) => type),
      ),
    )
    expect(Object.fromEntries(found.bySource.map((each) => [each.source, each.count]))).toEqual(count(({ source }) => source))
    for (const sums of [found.byStatus, found.bySeverity, found.byType])
      expect(Object.values(sums).reduce((sum, each) => sum + each, 0)).toBe(found.total)
  })

  test('say of each rule how often it fired, which share was a false positive, and when it fired last', async () => {
    const { byRule } = await read()
    expect(byRule.map(({ ruleId }) => ruleId).toSorted()).toEqual(['rule-1', 'rule-2', 'rule-3'])
    for (const { ruleId, name, fires, falsePositives, falsePositiveShare, lastFired } of byRule) {
      const own = alerts.filter(({ rule }) => rule.id === ruleId)
      const wrong = own.filter(({ status, dismissReason }) => status === 'dismissed' && dismissReason === 'false positive')
      const newest = own.toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt))[0]
      expect({ fires, falsePositives, lastFired, name }).toEqual({
        fires: own.length,
        falsePositives: wrong.length,
        lastFired: newest?.createdAt,
        name: newest?.rule.name,
      })
      expect(falsePositiveShare).toBeCloseTo(wrong.length / own.length, 9)
    }
  })

  test("give median and 90th percentile of people's answers, against the objective of each severity", async () => {
    const { responseTimes } = await read()
    for (const severity of SEVERITIES) {
      const own = alerts.filter((alert) => alert.severity === severity)
      const acknowledged = own.flatMap(({ createdAt, acknowledgedAt }) => seconds(createdAt, acknowledgedAt))
      const resolved = own.flatMap(({ createdAt, resolvedAt }) => seconds(createdAt, resolvedAt))
      const found = responseTimes[severity]
      const objective = OBJECTIVES[severity]
      expect(found.objectiveSeconds).toBe(objective)
      expect(found.acknowledged.count).toBe(acknowledged.length)
      expect(found.resolved.count).toBe(resolved.length)
      expect(found.withinObjective).toBe(objective === null ? 0 : acknowledged.filter((each) => each <= objective).length)
      for (const [got, values, share] of [
        [found.acknowledged.medianSeconds, acknowledged, 0.5],
        [found.acknowledged.p90Seconds, acknowledged, 0.9],
        [found.resolved.medianSeconds, resolved, 0.5],
        [found.resolved.p90Seconds, resolved, 0.9],
      ] as const)
        expect(got ?? -1).toBeCloseTo(quantile(values, share) ?? -1, 1)
    }
  })

  test('can be of a time, and are empty where there was nothing', async () => {
    const [from, to] = ['2026-03-10T00:00:00.000Z', '2026-03-20T00:00:00.000Z']
    const within = alerts.filter(({ createdAt }) => createdAt >= from && createdAt < to)
    expect((await read(`?from=${from}&to=${to}`)).total).toBe(within.length)
    expect(await read('?to=2000-01-01T00:00:00Z')).toMatchObject({
      total: 0,
      byRule: [],
      responseTimes: { HIGH: { acknowledged: { count: 0, medianSeconds: null } } },
    })
  })
})

describe('a trend', () => {
  const ask = (query: string) => world.ask('GET', `/api/alerts/trend?${query}`, acme.token)

  test("counts every alert once in buckets of the organization's zone, and shows empty ones", async () => {
    const changed = await world.ask('PATCH', `/api/organizations/${acme.organizationId}`, acme.token, {
      settings: { zone: 'Europe/Berlin' },
    })
    expect(changed.status).toBe(200)
    // Over the change of clocks on 29 March.
    const query = 'from=2026-02-28T23:00:00Z&to=2026-04-29T22:00:00Z'
    const days: AlertTrend = (await ask(`bucket=day&${query}`)).body
    expect(days.zone).toBe('Europe/Berlin')
    expect(days.buckets).toHaveLength(60)
    expect(days.buckets.map(({ from }) => from).slice(27, 30)).toEqual([
      '2026-03-27T23:00:00.000Z',
      '2026-03-28T23:00:00.000Z',
      '2026-03-29T22:00:00.000Z',
    ])
    for (const bucket of ['hour', 'day', 'week'])
      expect([
        bucket,
        ((await ask(`bucket=${bucket}&from=2026-03-25T12:00:00Z&to=2026-04-10T12:00:00Z`)).body as AlertTrend).buckets.reduce(
          (sum, each) => sum + each.total,
          0,
        ),
      ]).toEqual([
        bucket,
        alerts.filter(({ createdAt }) => createdAt >= '2026-03-25T12:00:00' && createdAt < '2026-04-10T12:00:00').length,
      ])
    const weeks: AlertTrend = (await ask(`bucket=week&${query}`)).body
    for (const { from } of weeks.buckets)
      expect(new Date(from).toLocaleString('en-GB', { timeZone: 'Europe/Berlin', weekday: 'short', hour: '2-digit' })).toBe(
        'Mon, 00',
      )
  })

  test('of more than a thousand buckets is refused, and so is another word for a bucket', async () => {
    expect((await ask('bucket=hour&from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z')).body.detail).toContain('1000 hours')
    for (const bucket of ['minute', "day'; DROP TABLE alerts; --"])
      expect((await ask(`bucket=${encodeURIComponent(bucket)}`)).status).toBe(400)
    expect((await ask('bucket=day')).body.buckets).toHaveLength(30)
  })
})

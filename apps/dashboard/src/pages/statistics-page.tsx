import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import type { AlertStatistics, TrendBucket } from '@tocsin/contracts'
import { statisticsQuery, trendQuery } from '../api/queries.ts'
import { Bars } from '../parts/bars.tsx'
import { Failure } from '../parts/failure.tsx'
import { alertCount, percent, seconds } from '../parts/figures.ts'
import { PageHeading } from '../parts/page-heading.tsx'
import { TableFrame } from '../parts/table-frame.tsx'
import { Age } from '../parts/time.tsx'
import { useSignedIn } from '../session.tsx'
import { SEVERITIES, STATUSES, TYPES } from '../vocabulary.ts'
import { Trend } from './trend.tsx'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const SPANS = [
  { days: 1, text: '24 hours', bucket: 'hour' },
  { days: 7, text: '7 days', bucket: 'day' },
  { days: 30, text: '30 days', bucket: 'day' },
  { days: 90, text: '90 days', bucket: 'week' },
  { days: 365, text: '365 days', bucket: 'week' },
] as const satisfies readonly { readonly days: number; readonly text: string; readonly bucket: TrendBucket }[]
const DEFAULT_DAYS = 30

/** Of the address: how many days back. */
export function readSpan(raw: Readonly<Record<string, unknown>>): { readonly days?: number } {
  const given = Number(Array.isArray(raw['days']) ? raw['days'][0] : raw['days'])
  return SPANS.some(({ days }) => days === given) ? { days: given } : {}
}

/** How many alerts there were, what became of them, and how soon people answered. */
export function StatisticsPage() {
  const { days = DEFAULT_DAYS } = useSearch({ from: '/statistics' })
  const { organization } = useSignedIn()
  const navigate = useNavigate()
  const { bucket } = SPANS.find((each) => each.days === days) ?? SPANS[2]
  // To the hour, so that the figures and what the server remembers of them stay the same for a while.
  const from = new Date(Math.floor(Date.now() / HOUR_MS) * HOUR_MS - days * DAY_MS).toISOString()
  const statistics = useQuery(statisticsQuery(organization.organizationId, from))
  const trend = useQuery(trendQuery(organization.organizationId, from, bucket))
  return (
    <main className="page" id="content">
      <PageHeading title="Statistics" />
      <fieldset className="actions" aria-label="Time">
        {SPANS.map((span) => (
          <button
            key={span.days}
            type="button"
            className="toggle"
            aria-pressed={span.days === days}
            onClick={() =>
              void navigate({
                to: '/statistics',
                search: ({ org }) => ({ ...(org === undefined ? {} : { org }), days: span.days }),
                replace: true,
              })
            }
          >
            {span.text}
          </button>
        ))}
      </fieldset>
      {statistics.error && <Failure error={statistics.error} retry={() => void statistics.refetch()} />}
      {trend.error && <Failure error={trend.error} retry={() => void trend.refetch()} />}
      {statistics.isPending && <p className="quiet">Loading …</p>}
      {statistics.data?.total === 0 && <p className="empty">No alert was raised in this time. Choose a longer one above.</p>}
      {statistics.data !== undefined && statistics.data.total > 0 && (
        <>
          <p>
            <strong>{alertCount(statistics.data.total)}</strong>
            {statistics.data.merged > 0 && `, and ${statistics.data.merged.toLocaleString()} more that were merged into these`}
          </p>
          {trend.data && <Trend trend={trend.data} />}
          <Shares statistics={statistics.data} />
          <ResponseTimes times={statistics.data.responseTimes} />
          <Rules rules={statistics.data.byRule} from={from} />
        </>
      )}
    </main>
  )
}

/** Each of them sums to the total. */
function Shares({ statistics: { byStatus, bySeverity, byType, bySource } }: { readonly statistics: AlertStatistics }) {
  return (
    <div className="columns">
      <Bars title="By state" head="State" bars={STATUSES.map((name) => ({ name, value: byStatus[name] }))} />
      <Bars
        title="By severity"
        head="Severity"
        bars={SEVERITIES.map((each) => ({ name: each.toLowerCase(), value: bySeverity[each], tone: each.toLowerCase() }))}
      />
      <Bars title="By type" head="Type" bars={TYPES.map((each) => ({ name: each.toLowerCase(), value: byType[each] }))} />
      <Bars title="By source" head="Source" bars={bySource.map(({ source, count }) => ({ name: source, value: count }))} />
    </div>
  )
}

function ResponseTimes({ times }: { readonly times: AlertStatistics['responseTimes'] }) {
  return (
    <section>
      <h2>How soon people answered</h2>
      <TableFrame label="How soon people answered">
        <table>
          <thead>
            <tr>
              <th scope="col">Severity</th>
              <th scope="col" className="number">
                To acknowledge within
              </th>
              <th scope="col" className="number">
                Acknowledged
              </th>
              <th scope="col" className="number">
                Median
              </th>
              <th scope="col" className="number">
                90 of 100
              </th>
              <th scope="col" className="number">
                In time
              </th>
              <th scope="col" className="number">
                Resolved
              </th>
              <th scope="col" className="number">
                Median
              </th>
              <th scope="col" className="number">
                90 of 100
              </th>
            </tr>
          </thead>
          <tbody>
            {SEVERITIES.map((severity) => {
              const { objectiveSeconds, acknowledged, withinObjective, resolved } = times[severity]
              const isLate = objectiveSeconds !== null && (acknowledged.p90Seconds ?? 0) > objectiveSeconds
              return (
                <tr key={severity}>
                  <th scope="row">{severity.toLowerCase()}</th>
                  <td className="number">{objectiveSeconds === null ? 'no objective' : seconds(objectiveSeconds)}</td>
                  <td className="number">{acknowledged.count.toLocaleString()}</td>
                  <td className="number">{seconds(acknowledged.medianSeconds)}</td>
                  <td className={`number${isLate ? ' bad' : ''}`}>
                    {seconds(acknowledged.p90Seconds)}
                    {isLate && ' – late'}
                  </td>
                  <td className="number">
                    {objectiveSeconds === null || acknowledged.count === 0
                      ? '–'
                      : `${withinObjective.toLocaleString()} (${percent(withinObjective / acknowledged.count)})`}
                  </td>
                  <td className="number">{resolved.count.toLocaleString()}</td>
                  <td className="number">{seconds(resolved.medianSeconds)}</td>
                  <td className="number">{seconds(resolved.p90Seconds)}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </TableFrame>
    </section>
  )
}

function Rules({ rules, from }: { readonly rules: AlertStatistics['byRule']; readonly from: string }) {
  return (
    <section>
      <h2>By rule</h2>
      <TableFrame label="By rule">
        <table>
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col" className="number">
                Alerts
              </th>
              <th scope="col" className="number">
                False positives
              </th>
              <th scope="col" className="number">
                Last fired
              </th>
            </tr>
          </thead>
          <tbody>
            {rules.map((rule) => (
              <tr key={rule.ruleId}>
                <td>
                  <Link to="/" search={({ org }) => ({ rule: rule.ruleId, from, ...(org === undefined ? {} : { org }) })}>
                    {rule.name}
                  </Link>
                  <div className="quiet">{rule.ruleId}</div>
                </td>
                <td className="number">{rule.fires.toLocaleString()}</td>
                <td className="number">
                  {rule.falsePositives.toLocaleString()} ({percent(rule.falsePositiveShare)})
                </td>
                <td className="number nowrap">
                  <Age at={rule.lastFired} /> ago
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
    </section>
  )
}

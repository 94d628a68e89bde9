import { useMutation, useQuery } from '@tanstack/react-query'
import type { Backtest, BacktestResult } from '@tocsin/contracts'
import { useState } from 'react'
import { backtestQuery } from '../../api/rule-queries.ts'
import { rulesApi } from '../../api/rules.ts'
import { SeverityName } from '../../parts/badges.tsx'
import { Bars } from '../../parts/bars.tsx'
import { Failure } from '../../parts/failure.tsx'
import { alertCount } from '../../parts/figures.ts'
import { TableFrame } from '../../parts/table-frame.tsx'
import { Moment } from '../../parts/time.tsx'

const SPANS = [
  { hours: 1, text: 'the last hour' },
  { hours: 24, text: 'the last day' },
  { hours: 168, text: 'the last 7 days' },
] as const

/** What the rule would have raised of the events that are kept. `content` null: the saved text. */
export function RuleBacktest({
  organizationId,
  ruleId,
  content,
}: {
  readonly organizationId: string
  readonly ruleId: string
  readonly content: string | null
}) {
  const [hours, setHours] = useState(24)
  const [id, setId] = useState<string | null>(null)
  const start = useMutation({
    mutationFn: () => rulesApi.startBacktest(organizationId, { ruleId, hours, ...(content === null ? {} : { content }) }),
    onSuccess: (backtest) => setId(backtest.id),
  })
  const job = useQuery({ ...backtestQuery(organizationId, id ?? ''), enabled: id !== null })
  const cancel = useMutation({
    mutationFn: (running: string) => rulesApi.cancelBacktest(organizationId, running),
    onSettled: () => job.refetch(),
  })
  const running = id !== null && (job.data === undefined || job.data.state === 'running')
  const error = start.error ?? job.error ?? cancel.error
  return (
    <>
      <div className="actions">
        <label>
          Over{' '}
          <select value={hours} onChange={({ target }) => setHours(Number(target.value))}>
            {SPANS.map((each) => (
              <option key={each.hours} value={each.hours}>
                {each.text}
              </option>
            ))}
          </select>
        </label>
        <button type="button" disabled={start.isPending || (running && !error)} onClick={() => start.mutate()}>
          Run {content === null ? 'it' : 'the edited text'}
        </button>
        {running && id !== null && (
          <button type="button" onClick={() => cancel.mutate(id)}>
            Cancel
          </button>
        )}
      </div>
      {error && <Failure error={error} />}
      <div aria-live="polite">{job.data && <Job job={job.data} />}</div>
    </>
  )
}

function Job({ job: { state, progress, result, error } }: { readonly job: Backtest }) {
  return (
    <>
      <p>
        {state === 'running' ? (
          <label>
            <progress max={1} value={progress.share} /> {progress.events.toLocaleString()} events read
          </label>
        ) : (
          `${state}, ${progress.events.toLocaleString()} events read`
        )}
      </p>
      {error && (
        <p className="notice notice-error" role="alert">
          {error.detail}
        </p>
      )}
      {result && <Result result={result} />}
    </>
  )
}

function Result({ result }: { readonly result: BacktestResult }) {
  return (
    <>
      <p>
        <strong>{alertCount(result.alerts)}</strong>, {result.perDay.toLocaleString(undefined, { maximumFractionDigits: 1 })} a
        day, of {result.events.toLocaleString()} events in{' '}
        {result.seconds.toLocaleString(undefined, { maximumFractionDigits: 1 })} s
      </p>
      <Bars
        title="Alerts with the threshold multiplied"
        head="Times the threshold"
        bars={Object.entries(result.byThreshold)
          .toSorted(([one], [other]) => Number(one) - Number(other))
          .map(([times, value]) => ({ name: `× ${times}`, value }))}
      />
      {result.sample.length > 0 && (
        <TableFrame label="The first alerts">
          <table>
            <thead>
              <tr>
                <th scope="col">Severity</th>
                <th scope="col">Alert</th>
                <th scope="col" className="number">
                  Events
                </th>
                <th scope="col">First seen</th>
              </tr>
            </thead>
            <tbody>
              {result.sample.map((alert) => (
                <tr key={JSON.stringify([alert.group, alert.firstSeen, alert.title])}>
                  <td>
                    <SeverityName name={alert.severity} />
                  </td>
                  <td>{alert.title}</td>
                  <td className="number">{alert.count.toLocaleString()}</td>
                  <td className="nowrap">
                    <Moment at={alert.firstSeen} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableFrame>
      )}
    </>
  )
}

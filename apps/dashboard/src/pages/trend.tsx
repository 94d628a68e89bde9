import type { AlertTrend } from '@tocsin/contracts'
import { SEVERITIES } from '../vocabulary.ts'

/** Of the drawing, which is stretched to its place. */
const COLUMN = 10
const GAP = 1
const HEIGHT = 100
const NAMES = { hour: 'hour', day: 'day', week: 'week, from Monday' } as const

/** Alerts raised in each hour, day or week, the most severe at the bottom; the table behind says the same. */
export function Trend({ trend: { bucket, zone, buckets } }: { readonly trend: AlertTrend }) {
  const most = Math.max(1, ...buckets.map(({ total }) => total))
  const when = new Intl.DateTimeFormat(undefined, {
    timeZone: zone,
    ...(bucket === 'hour' ? { dateStyle: 'medium', timeStyle: 'short' } : { dateStyle: 'medium' }),
  })
  const name = (from: string) => when.format(new Date(from))
  return (
    <section>
      <h2>
        Raised by {NAMES[bucket]} <span className="quiet">· {zone}</span>
      </h2>
      <div className="trend">
        <svg
          viewBox={`0 0 ${buckets.length * COLUMN} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`Alerts by ${bucket}, ${most.toLocaleString()} at most. The table below has the figures.`}
        >
          {buckets.map(({ from, total, bySeverity }, at) => (
            <g key={from}>
              <title>{`${name(from)}: ${total.toLocaleString()}`}</title>
              <rect x={at * COLUMN} width={COLUMN} height={HEIGHT} fill="transparent" />
              {SEVERITIES.map((severity, rank) => {
                const below = SEVERITIES.slice(0, rank).reduce((sum, each) => sum + bySeverity[each], 0)
                const height = (bySeverity[severity] / most) * HEIGHT
                return (
                  height > 0 && (
                    <rect
                      key={severity}
                      className={`tone-${severity.toLowerCase()}`}
                      x={at * COLUMN + GAP / 2}
                      width={COLUMN - GAP}
                      y={HEIGHT - (below / most) * HEIGHT - height}
                      height={height}
                    />
                  )
                )
              })}
            </g>
          ))}
        </svg>
        <p className="trend-ends quiet" aria-hidden="true">
          <span>{name(buckets[0]?.from ?? '')}</span>
          <span>most: {most.toLocaleString()}</span>
          <span>{name(buckets.at(-1)?.from ?? '')}</span>
        </p>
      </div>
      <details>
        <summary>The figures as a table</summary>
        <div className="table-frame">
          <table>
            <thead>
              <tr>
                <th scope="col">From</th>
                <th scope="col" className="number">
                  All
                </th>
                {SEVERITIES.map((severity) => (
                  <th key={severity} scope="col" className="number">
                    {severity.toLowerCase()}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {buckets.map(({ from, total, bySeverity }) => (
                <tr key={from}>
                  <th scope="row">{name(from)}</th>
                  <td className="number">{total.toLocaleString()}</td>
                  {SEVERITIES.map((severity) => (
                    <td key={severity} className="number">
                      {bySeverity[severity].toLocaleString()}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </section>
  )
}

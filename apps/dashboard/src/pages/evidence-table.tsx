import type { Evidence } from '@tocsin/contracts'
import { Moment } from '../parts/time.tsx'

/** The held events, with the place of each original. Shown as sent: text, never markup. */
export function EvidenceTable({ evidence, count }: { readonly evidence: readonly Evidence[]; readonly count: number }) {
  if (evidence.length === 0) return <p className="quiet">No event is held.</p>
  return (
    <>
      {evidence.length < count && (
        <p className="quiet">
          {evidence.length} of {count.toLocaleString()} events: the first ones and the newest.
        </p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className="table-frame" tabIndex={0} aria-label="Evidence">
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Action</th>
              <th scope="col">Outcome</th>
              <th scope="col">Subject</th>
              <th scope="col">Address</th>
              <th scope="col">Target</th>
              <th scope="col" className="number">
                Records
              </th>
              <th scope="col">Class</th>
              <th scope="col">Original at</th>
            </tr>
          </thead>
          <tbody>
            {evidence.map((event) => (
              <tr key={`${event.partition}/${event.offset}`}>
                <td className="nowrap">
                  <Moment at={event.t} />
                </td>
                <td>{event.action}</td>
                <td>{event.outcome}</td>
                <td>{event.subject}</td>
                <td>{event.ip}</td>
                <td>{event.target}</td>
                <td className="number">{event.recordCount?.toLocaleString()}</td>
                <td>{event.classification}</td>
                <td className="nowrap quiet" title={`event id ${event.id}`}>
                  {event.topic}/{event.partition} @ {event.offset}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  )
}

import { useMutation } from '@tanstack/react-query'
import type { AlertWithEvidence, EvidenceFormat } from '@tocsin/contracts'
import { api } from '../api/client.ts'
import { Failure } from '../parts/failure.tsx'
import { Masked } from '../parts/masked.tsx'
import { TableFrame } from '../parts/table-frame.tsx'
import { Moment } from '../parts/time.tsx'

/** The held events, with the place of each original. Shown as sent: text, never markup. */
export function EvidenceTable({ alert, isMasked }: { readonly alert: AlertWithEvidence; readonly isMasked: boolean }) {
  const { evidence, count } = alert
  // What the role may not read is left out of each event: an empty cell would say that there was nothing.
  const readable = (value: string | undefined) => (isMasked ? <Masked /> : value)
  if (evidence.length === 0) return <p className="quiet">No event is held.</p>
  return (
    <>
      {evidence.length < count && (
        <p className="quiet">
          {evidence.length} of {count.toLocaleString()} events: the first ones and the newest.
        </p>
      )}
      <TableFrame label="Evidence">
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
                <td>{readable(event.subject)}</td>
                <td>{readable(event.ip)}</td>
                <td>{readable(event.target)}</td>
                <td className="number">{event.recordCount?.toLocaleString()}</td>
                <td>{event.classification}</td>
                <td className="nowrap quiet" title={isMasked ? undefined : `event id ${event.id}`}>
                  {event.topic}/{event.partition} @ {event.offset}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
      {!isMasked && <Downloads alert={alert} />}
    </>
  )
}

const FORMATS = [
  { format: 'json', text: 'JSON' },
  { format: 'ocsf', text: 'OCSF finding' },
  { format: 'csv', text: 'CSV' },
] as const satisfies readonly { readonly format: EvidenceFormat; readonly text: string }[]

function Downloads({ alert: { organizationId, id } }: { readonly alert: AlertWithEvidence }) {
  const saving = useMutation({ mutationFn: (format: EvidenceFormat) => api.saveEvidence(organizationId, id, format) })
  return (
    <div className="actions">
      {FORMATS.map(({ format, text }) => (
        <button key={format} type="button" disabled={saving.isPending} onClick={() => saving.mutate(format)}>
          Save as {text}
        </button>
      ))}
      {saving.error && <Failure error={saving.error} />}
    </div>
  )
}

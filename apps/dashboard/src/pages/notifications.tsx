import { useQuery } from '@tanstack/react-query'
import type { NotificationEntry } from '@tocsin/contracts'
import { notificationsQuery } from '../api/queries.ts'
import { Failure } from '../parts/failure.tsx'
import { Shown } from '../parts/masked.tsx'
import { duration, Moment } from '../parts/time.tsx'

export function Notifications({ organizationId, alertId }: { readonly organizationId: string; readonly alertId: string }) {
  const { data, error, isPending, refetch } = useQuery(notificationsQuery(organizationId, alertId))
  if (isPending) return <p className="quiet">Loading …</p>
  if (error) return <Failure error={error} retry={() => void refetch()} />
  if (data.items.length === 0) return <p className="quiet">Nobody yet, and nothing is planned.</p>
  return (
    <ul className="timeline">
      {data.items.map((entry) => (
        <li key={entry.id}>
          <span className={`delivery delivery-${entry.status}`}>{entry.status}</span> {entry.channel ?? 'nobody'}
          {entry.destination !== null && (
            <>
              {' '}
              · <Shown value={entry.destination} />
            </>
          )}{' '}
          <span className="quiet">· {entry.event}</span>
          <div className="quiet">
            <Told entry={entry} />
          </div>
        </li>
      ))}
    </ul>
  )
}

function Told({ entry }: { readonly entry: NotificationEntry }) {
  const tries = entry.attempts > 1 ? ` · ${entry.attempts} tries` : ''
  return (
    <>
      {entry.sentAt !== null ? (
        <>
          <Moment at={entry.sentAt} />
          {entry.latencyMs !== null &&
            ` · after ${entry.latencyMs < 1000 ? `${Math.round(entry.latencyMs)} ms` : duration(entry.latencyMs)}`}
        </>
      ) : entry.dueAt !== null ? (
        <>
          due <Moment at={entry.dueAt} />
        </>
      ) : (
        <Moment at={entry.at} />
      )}
      {tries}
      {entry.late && ' · late'}
      {entry.reason !== null && ` · ${entry.reason}`}
    </>
  )
}

import { useQuery } from '@tanstack/react-query'
import type { Alert, HistoryItem } from '@tocsin/contracts'
import { historyQuery } from '../api/queries.ts'
import { Failure } from '../parts/failure.tsx'
import { Moment } from '../parts/time.tsx'

/** What was said with an act: a comment, and what else it left in words. */
export function wordsOf({ details, detailsState }: Pick<HistoryItem, 'details' | 'detailsState'>): readonly string[] {
  if (detailsState === 'masked') return ['Your role may not read what was said.']
  if (detailsState !== 'open') return ['What was said cannot be read any more.']
  const { comment, changes } = (details ?? {}) as { comment?: unknown; changes?: Readonly<Record<string, unknown>> }
  const { dismissReason, resolutionNotes, assignee } = changes ?? {}
  return [
    ...(assignee === undefined ? [] : [`to ${typeof assignee === 'string' ? assignee : 'nobody'}`]),
    ...[dismissReason, resolutionNotes, comment].filter((each) => typeof each === 'string'),
  ]
}

/** What was done with the alert and by whom, oldest first. */
export function StatusHistory({ alert }: { readonly alert: Alert }) {
  const { data, error, refetch } = useQuery(historyQuery(alert.organizationId, alert.id, alert.version))
  if (error) return <Failure error={error} retry={() => void refetch()} />
  return (
    <ol className="timeline">
      <li>
        raised by {alert.source}
        <div className="quiet">
          <Moment at={alert.createdAt} />
        </div>
      </li>
      {data?.items.toReversed().map((item) => (
        <li key={item.id}>
          {item.action.replace(/^alert\./, '')} by {item.actor}
          {wordsOf(item).map((words) => (
            <div key={words} className="note">
              {words}
            </div>
          ))}
          <div className="quiet">
            <Moment at={item.at} /> · {item.channel}
          </div>
        </li>
      ))}
    </ol>
  )
}

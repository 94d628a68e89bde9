import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { relatedQuery } from '../api/queries.ts'
import { SeverityBadge, StatusBadge } from '../parts/badges.tsx'
import { Failure } from '../parts/failure.tsx'
import { Age } from '../parts/time.tsx'

/** Those with one of the same values in their group, newest first. */
export function RelatedAlerts({ organizationId, alertId }: { readonly organizationId: string; readonly alertId: string }) {
  const { data, error, isPending, refetch } = useQuery(relatedQuery(organizationId, alertId))
  if (isPending) return <p className="quiet">Loading …</p>
  if (error) return <Failure error={error} retry={() => void refetch()} />
  if (data.items.length === 0) return <p className="quiet">There is no other.</p>
  return (
    <ul className="related">
      {data.items.map((alert) => (
        <li key={alert.id}>
          <SeverityBadge severity={alert.severity} />
          <Link to="/alerts/$id" params={{ id: alert.id }} search={(now) => now}>
            {alert.title}
          </Link>
          <StatusBadge status={alert.status} />
          <span className="quiet">
            <Age at={alert.createdAt} /> ago
          </span>
        </li>
      ))}
    </ul>
  )
}

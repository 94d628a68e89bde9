import { Link } from '@tanstack/react-router'
import type { HiddenAlerts } from '@tocsin/contracts'
import { SeverityBadge } from '../../parts/badges.tsx'
import { Age, Moment } from '../../parts/time.tsx'

/** What a matcher would have kept out, and how much was looked at to say so. */
export function HiddenAlertList({ hidden: { lookedAt, hidden, partly, unknownFields } }: { readonly hidden: HiddenAlerts }) {
  return (
    <>
      <p>
        <strong>
          {hidden.length.toLocaleString()} of {lookedAt.alerts.toLocaleString()} alerts
        </strong>{' '}
        since <Moment at={lookedAt.from} /> would not have been raised
        {partly > 0 && `, and ${partly.toLocaleString()} would have had fewer events`}.
        {!lookedAt.complete && ' Only the newest alerts were looked at.'}
      </p>
      {unknownFields.length > 0 && (
        <p className="notice">
          Evidence does not hold {unknownFields.join(', ')}: what asks for {unknownFields.length === 1 ? 'it' : 'them'} counts as
          not matching here.
        </p>
      )}
      <ul className="related">
        {hidden.map((alert) => (
          <li key={alert.id}>
            <SeverityBadge severity={alert.severity} />
            <Link to="/alerts/$id" params={{ id: alert.id }} search={(now) => now}>
              {alert.title}
            </Link>
            <span className="quiet">
              <Age at={alert.createdAt} /> ago
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}

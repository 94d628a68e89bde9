import { Link } from '@tanstack/react-router'
import type { Alert } from '@tocsin/contracts'
import { SeverityBadge, StatusBadge } from '../parts/badges.tsx'
import { Shown } from '../parts/masked.tsx'
import { Age } from '../parts/time.tsx'

export const ROW_HEIGHT_PX = 60

/** One alert of the list. But for the box that chooses it, all of the row is one link: one stop for the keyboard and one target for a finger. */
export function AlertRow(props: {
  readonly alert: Alert
  readonly index: number
  readonly total: number
  /** Pixels from the top of the list. */
  readonly top: number
  readonly selected: boolean
  readonly onSelect: () => void
  readonly chosen: boolean
  /** Null: it cannot be chosen. */
  readonly onChoose: (() => void) | null
}) {
  const { alert, index, total, top, selected } = props
  const group = Object.entries(alert.group)
  return (
    <li
      className="row-place"
      style={{ transform: `translateY(${top}px)`, height: ROW_HEIGHT_PX }}
      data-index={index}
      aria-posinset={index + 1}
      aria-setsize={total}
    >
      {props.onChoose !== null && (
        <label className="row-check">
          <input type="checkbox" aria-label={`Choose ${alert.title}`} checked={props.chosen} onChange={props.onChoose} />
        </label>
      )}
      <Link
        to="/alerts/$id"
        params={{ id: alert.id }}
        search={(now) => now}
        className={`row${selected ? ' row-selected' : ''}${alert.status === 'active' ? '' : ' row-handled'}`}
        onFocus={props.onSelect}
      >
        <SeverityBadge severity={alert.severity} />
        <span className="row-title">
          <span className="cut">{alert.title}</span>
          <span className="cut quiet">
            {alert.type.toLowerCase()} · {alert.rule.name}
            {alert.open ? ' · still going on' : ''}
            {alert.backfilled ? ' · backfilled' : ''}
          </span>
        </span>
        <span className="row-group">
          {group.map(([field, value]) => (
            <span key={field} className="cut" title={`${field}: ${value}`}>
              <span className="quiet">{field} </span>
              <Shown value={value} />
            </span>
          ))}
        </span>
        <span className="number row-count">{alert.count.toLocaleString()}</span>
        <StatusBadge status={alert.status} />
        <span className="number row-age">
          <Age at={alert.createdAt} />
        </span>
      </Link>
    </li>
  )
}

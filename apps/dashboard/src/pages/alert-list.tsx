import { useNavigate, useSearch } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import type { Alert } from '@tocsin/contracts'
import { useEffect, useMemo, useRef, useState } from 'react'
import { filterOf, isFiltered } from '../filter.ts'
import { useLiveList } from '../live/use-live-list.ts'
import { useActions } from '../parts/actions.tsx'
import { mayAct } from '../parts/acts.ts'
import { Failure } from '../parts/failure.tsx'
import { useKeys } from '../parts/keyboard.tsx'
import { useSignedIn } from '../session.tsx'
import { AlertRow, ROW_HEIGHT_PX } from './alert-row.tsx'
import { Filters } from './filters.tsx'
import { FirstSteps } from './first-steps.tsx'

const OVERSCAN_ROWS = 8
/** The next page is fetched this many rows before the end. */
const AHEAD_ROWS = 20
/** Whoever comes back from an alert is where they were. */
let lastSelectedId: string | null = null

export function AlertList() {
  const { me, organization } = useSignedIn()
  const search = useSearch({ from: '__root__' })
  const key = JSON.stringify(filterOf(search))
  // Stable while its content is: it is part of the query's key and of the subscription.
  const filter = useMemo(() => filterOf(JSON.parse(key)), [key])
  const list = useLiveList(organization.organizationId, filter)
  const actions = useActions(mayAct(organization.role), me.subject)
  return (
    <main className="page list-page" id="content">
      <h1 className="hidden">Alerts</h1>
      <Filters filter={filter} />
      <p className="hidden" aria-live="polite">
        {list.announcement}
      </p>
      {actions.dialogs}
      {list.error && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <p className="quiet">Loading …</p>}
      {list.data &&
        (list.alerts.length > 0 ? (
          <Rows
            alerts={list.alerts}
            more={list.hasNextPage && !list.isFetchingNextPage ? () => void list.fetchNextPage() : null}
            begin={actions.begin}
          />
        ) : isFiltered(filter) ? (
          <p className="empty">No alert matches these filters.</p>
        ) : (
          <FirstSteps />
        ))}
    </main>
  )
}

function Rows({
  alerts,
  more,
  begin,
}: {
  readonly alerts: readonly Alert[]
  readonly more: (() => void) | null
  readonly begin: ReturnType<typeof useActions>['begin']
}) {
  const navigate = useNavigate()
  const scroller = useRef<HTMLDivElement>(null)
  // By id: a new alert above must not move the selection to another one.
  const [selectedId, remember] = useState(lastSelectedId)
  const setSelectedId = (id: string | null) => {
    lastSelectedId = id
    remember(id)
  }
  const selected = alerts.findIndex((each) => each.id === selectedId)
  const rows = useVirtualizer({
    count: alerts.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT_PX,
    getItemKey: (index) => alerts[index]?.id ?? index,
    overscan: OVERSCAN_ROWS,
  })
  const items = rows.getVirtualItems()
  const lastShown = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (more !== null && lastShown >= alerts.length - AHEAD_ROWS) more()
  }, [more, lastShown, alerts.length])

  const begun = useRef(false)
  useEffect(() => {
    if (!begun.current && selected > 0) rows.scrollToIndex(selected, { align: 'center' })
    begun.current = true
  }, [rows, selected])

  const move = (step: number) => {
    const next = Math.min(alerts.length - 1, Math.max(0, selected < 0 ? 0 : selected + step))
    setSelectedId(alerts[next]?.id ?? null)
    rows.scrollToIndex(next)
    // The row may be made only by the scrolling.
    requestAnimationFrame(() =>
      scroller.current?.querySelector<HTMLElement>(`[data-index="${next}"] a`)?.focus({ preventScroll: true }),
    )
  }
  const onSelected = (what: (alert: Alert) => void) => () => {
    const alert = alerts[selected]
    if (alert) what(alert)
  }
  useKeys({
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(-1),
    ArrowUp: () => move(-1),
    Enter: onSelected((alert) => void navigate({ to: '/alerts/$id', params: { id: alert.id }, search: (now) => now })),
    a: onSelected((alert) => begin(alert, 'acknowledge')),
    r: onSelected((alert) => begin(alert, 'resolve')),
    d: onSelected((alert) => begin(alert, 'dismiss')),
  })

  return (
    <div className="rows-frame">
      <div className="row row-head" aria-hidden="true">
        <span>Severity</span>
        <span>Alert</span>
        <span>Group</span>
        <span className="number">Events</span>
        <span>Status</span>
        <span className="number">Age</span>
      </div>
      <div className="rows" ref={scroller}>
        <ul style={{ height: rows.getTotalSize() }} aria-label="Alerts, newest first">
          {items.map((item) => {
            const alert = alerts[item.index]
            return (
              alert && (
                <AlertRow
                  key={item.key}
                  alert={alert}
                  index={item.index}
                  total={alerts.length}
                  top={item.start}
                  selected={alert.id === selectedId}
                  onSelect={() => setSelectedId(alert.id)}
                />
              )
            )
          })}
        </ul>
      </div>
    </div>
  )
}

import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import type { Alert } from '@tocsin/contracts'
import { useEffect, useMemo, useRef, useState } from 'react'
import { api } from '../api/client.ts'
import { totalQuery } from '../api/queries.ts'
import { type AlertFilter, type AlertOrder, filterOf, isFiltered, orderOf } from '../filter.ts'
import { useLiveList } from '../live/use-live-list.ts'
import { useActions } from '../parts/actions.tsx'
import { BulkBar } from '../parts/bulk.tsx'
import { Failure } from '../parts/failure.tsx'
import { alertCount } from '../parts/figures.ts'
import { useKeys } from '../parts/keyboard.tsx'
import { Age } from '../parts/time.tsx'
import { useSignedIn } from '../session.tsx'
import { AlertRow, ROW_HEIGHT_PX } from './alert-row.tsx'
import { Filters } from './filters.tsx'
import { FirstSteps } from './first-steps.tsx'

const OVERSCAN_ROWS = 8
/** The next page is fetched this many rows before the end. */
const AHEAD_ROWS = 20
/** Whoever comes back from an alert is where they were. */
let lastSelectedId: string | null = null
const NONE: ReadonlySet<string> = new Set()
const LIST_NAMES = {
  created: { desc: 'Alerts, newest first', asc: 'Alerts, oldest first' },
  updated: { desc: 'Alerts, last changed first', asc: 'Alerts, longest unchanged first' },
  severity: { desc: 'Alerts, most severe first', asc: 'Alerts, least severe first' },
  count: { desc: 'Alerts, most events first', asc: 'Alerts, fewest events first' },
} as const

export function AlertList() {
  const { me, organization, may } = useSignedIn()
  const search = useSearch({ from: '__root__' })
  const key = JSON.stringify([filterOf(search), orderOf(search)])
  // Stable while their content is: they are part of the query's key and of the subscription.
  const [filter, order] = useMemo((): [AlertFilter, AlertOrder] => JSON.parse(key), [key])
  const { organizationId } = organization
  const list = useLiveList(organizationId, filter, order)
  const actions = useActions(may, me.subject)
  const [chosen, setChosen] = useState<ReadonlySet<string>>(NONE)
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was chosen in another view is not seen in this one.
  useEffect(() => setChosen(NONE), [key, organizationId])
  const choose = may('alerts:acknowledge')
    ? (id: string) =>
        setChosen((held) => (held.has(id) ? new Set([...held].filter((each) => each !== id)) : new Set([...held, id])))
    : null
  return (
    <main className="page list-page" id="content">
      <h1 className="hidden">Alerts</h1>
      <Filters filter={filter} order={order} />
      <p className="hidden" aria-live="polite">
        {list.announcement}
      </p>
      {actions.dialogs}
      {list.error && <Failure error={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <p className="quiet">Loading …</p>}
      {list.isBehind && (
        <p className="notice" role="status">
          Alerts came or changed that this view cannot place by itself.{' '}
          <button type="button" onClick={list.renew}>
            Show them
          </button>
        </p>
      )}
      {list.data &&
        (list.alerts.length > 0 ? (
          <>
            <div className="list-head">
              <Total organizationId={organizationId} filter={filter} shown={search.total === true} />
              {may('alerts:export') && <Exports organizationId={organizationId} filter={filter} />}
              {choose !== null && (
                <BulkBar
                  organizationId={organizationId}
                  filter={filter}
                  chosen={chosen}
                  may={may}
                  onClear={() => setChosen(NONE)}
                />
              )}
            </div>
            <Rows
              alerts={list.alerts}
              order={order}
              more={list.hasNextPage && !list.isFetchingNextPage ? () => void list.fetchNextPage() : null}
              begin={actions.begin}
              chosen={chosen}
              choose={choose}
            />
          </>
        ) : isFiltered(filter) ? (
          <p className="empty">No alert matches these filters. Take one off, or “Show all”.</p>
        ) : (
          <FirstSteps />
        ))}
    </main>
  )
}

/** How many fit, counted when somebody asks: it costs a look at all of them. */
function Total({
  organizationId,
  filter,
  shown,
}: {
  readonly organizationId: string
  readonly filter: AlertFilter
  readonly shown: boolean
}) {
  const navigate = useNavigate()
  const total = useQuery({ ...totalQuery(organizationId, filter), enabled: shown })
  return (
    <>
      <button
        type="button"
        className="toggle"
        aria-pressed={shown}
        onClick={() =>
          void navigate({
            to: '/',
            search: ({ total: _dropped, ...rest }) => (shown ? rest : { ...rest, total: true as const }),
            replace: true,
          })
        }
      >
        Count all
      </button>
      {shown && total.data !== undefined && (
        <span role="status">
          {alertCount(total.data)}, counted <Age at={new Date(total.dataUpdatedAt).toISOString()} /> ago
          <button type="button" className="plain" onClick={() => void total.refetch()}>
            Again
          </button>
        </span>
      )}
      {shown && total.error && <Failure error={total.error} retry={() => void total.refetch()} />}
    </>
  )
}

/** All that fit, newest first, as a stream from the server to a file. */
const Exports = ({ organizationId, filter }: { readonly organizationId: string; readonly filter: AlertFilter }) => (
  <span>
    Save all as{' '}
    <a href={api.exportAddress(organizationId, filter, 'csv')} download>
      CSV
    </a>{' '}
    or{' '}
    <a href={api.exportAddress(organizationId, filter, 'ndjson')} download>
      NDJSON
    </a>
  </span>
)

function Rows({
  alerts,
  order,
  more,
  begin,
  chosen,
  choose,
}: {
  readonly alerts: readonly Alert[]
  readonly order: AlertOrder
  readonly more: (() => void) | null
  readonly begin: ReturnType<typeof useActions>['begin']
  readonly chosen: ReadonlySet<string>
  /** Null: nothing may be done with what is chosen. */
  readonly choose: ((id: string) => void) | null
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
    x: onSelected((alert) => choose?.(alert.id)),
    '/': () => document.querySelector<HTMLInputElement>('input[name=q]')?.focus(),
  })

  return (
    <div className={`rows-frame${choose === null ? '' : ' rows-choosable'}`}>
      <div className="row row-head" aria-hidden="true">
        <span>Severity</span>
        <span>Alert</span>
        <span>Group</span>
        <span className="number">Events</span>
        <span>Status</span>
        <span className="number">Age</span>
      </div>
      <div className="rows" ref={scroller}>
        <ul style={{ height: rows.getTotalSize() }} aria-label={LIST_NAMES[order.sort][order.order]}>
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
                  chosen={chosen.has(alert.id)}
                  onChoose={choose === null ? null : () => choose(alert.id)}
                />
              )
            )
          })}
        </ul>
      </div>
    </div>
  )
}

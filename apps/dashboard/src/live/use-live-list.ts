import { type InfiniteData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import type { Alert, AlertPage } from '@tocsin/contracts'
import { useEffect, useMemo, useState } from 'react'
import { alertsQuery } from '../api/queries.ts'
import { type AlertFilter, type AlertOrder, isLive } from '../filter.ts'
import { applyChange, applyToHeld, type LoadedPages } from './apply-change.ts'
import { useSocket } from './live.tsx'

type Pages = InfiniteData<AlertPage, string | null>

/**
 * The list, then its changes: fetched first, then subscribed from the position that the answer contains, so nothing is lost
 * between. `announcement` is a sentence for screen readers about the newest alert. `isBehind`: something happened of which only
 * the server can tell whether it belongs to the list; `renew` asks it.
 */
export function useLiveList(organizationId: string, filter: AlertFilter, order: AlertOrder) {
  const client = useQueryClient()
  const socket = useSocket()
  const options = useMemo(() => alertsQuery(organizationId, filter, order), [organizationId, filter, order])
  const query = useInfiniteQuery(options)
  const [announcement, setAnnouncement] = useState('')
  const [behindOf, setBehindOf] = useState<string | null>(null)
  const position = query.data?.pages[0]?.streamCursor
  const live = isLive(filter, order)

  useEffect(() => {
    if (position === undefined) return
    const { status, severity, type, source } = filter
    const judged = {
      ...(status ? { status: [...status] } : {}),
      ...(severity ? { severity: [...severity] } : {}),
      ...(type ? { type: [...type] } : {}),
      ...(source === undefined ? {} : { source: [source] }),
    }
    const change: typeof applyChange = live ? applyChange : applyToHeld
    return socket.subscribe(
      { organizationId, cursor: position, filter: judged },
      {
        onChange: (message) => {
          client.setQueryData<Pages>(options.queryKey, (data) => data && (change(data as LoadedPages, message) as Pages))
          if (!live) setBehindOf(position)
          else if (message.type === 'alert_created' && message.alert.title !== undefined)
            setAnnouncement(`New ${message.alert.severity?.toLowerCase() ?? ''} alert: ${message.alert.title}`)
        },
        onResync: () => void client.resetQueries({ queryKey: options.queryKey }),
      },
    )
  }, [client, socket, organizationId, filter, options, position, live])

  const alerts: readonly Alert[] = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data])
  const renew = () => void client.resetQueries({ queryKey: options.queryKey })
  return { ...query, alerts, announcement, isBehind: position !== undefined && behindOf === position, renew }
}

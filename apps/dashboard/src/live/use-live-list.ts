import { type InfiniteData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import type { Alert, AlertPage } from '@tocsin/contracts'
import { useEffect, useMemo, useState } from 'react'
import { alertsQuery } from '../api/queries.ts'
import type { AlertFilter } from '../filter.ts'
import { applyChange } from './apply-change.ts'
import { useSocket } from './live.tsx'

/**
 * The list, then its changes: fetched first, then subscribed from the position that the answer contains, so nothing is lost
 * between. `announcement` is a sentence for screen readers about the newest alert.
 */
export function useLiveList(organizationId: string, filter: AlertFilter) {
  const client = useQueryClient()
  const socket = useSocket()
  const options = useMemo(() => alertsQuery(organizationId, filter), [organizationId, filter])
  const query = useInfiniteQuery(options)
  const [announcement, setAnnouncement] = useState('')
  const position = query.data?.pages[0]?.streamCursor

  useEffect(() => {
    if (position === undefined) return
    const { status, severity, type } = filter
    return socket.subscribe(
      {
        organizationId,
        cursor: position,
        filter: {
          ...(status ? { status: [...status] } : {}),
          ...(severity ? { severity: [...severity] } : {}),
          ...(type ? { type: [...type] } : {}),
        },
      },
      {
        onChange: (message) => {
          client.setQueryData<InfiniteData<AlertPage, string | null>>(options.queryKey, (data) =>
            data ? (applyChange(data, message) as InfiniteData<AlertPage, string | null>) : data,
          )
          if (message.type === 'alert_created' && message.alert.title !== undefined)
            setAnnouncement(`New ${message.alert.severity?.toLowerCase() ?? ''} alert: ${message.alert.title}`)
        },
        onResync: () => void client.resetQueries({ queryKey: options.queryKey }),
      },
    )
  }, [client, socket, organizationId, filter, options, position])

  const alerts: readonly Alert[] = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data])
  return { ...query, alerts, announcement }
}

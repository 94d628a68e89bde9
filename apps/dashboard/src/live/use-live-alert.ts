import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useMemo, useRef } from 'react'
import { alertQuery, type FoundAlert } from '../api/queries.ts'
import { newer } from './apply-change.ts'
import { useSocket } from './live.tsx'

/** A revision brings new evidence, which the socket does not carry; a burst of revisions asks for it once. */
const EVIDENCE_AFTER_MS = 500

/** One alert, kept current by the socket. */
export function useLiveAlert(alertId: string, organizationIds: readonly string[]) {
  const client = useQueryClient()
  const socket = useSocket()
  const options = useMemo(() => alertQuery(alertId, organizationIds), [alertId, organizationIds])
  const query = useQuery(options)
  const organizationId = query.data?.organizationId
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)

  useEffect(() => {
    if (organizationId === undefined) return
    const refetch = () => void client.invalidateQueries({ queryKey: options.queryKey, exact: true })
    const later = () => {
      clearTimeout(timer.current)
      timer.current = setTimeout(refetch, EVIDENCE_AFTER_MS)
    }
    const end = socket.subscribe(
      { organizationId },
      {
        onChange: (message) => {
          if (message.type === 'alert_deleted') {
            if (message.alertId === alertId) later()
            return
          }
          const given =
            message.type === 'bulk_update'
              ? message.alerts.find((each) => each.id === alertId)
              : message.alert.id === alertId
                ? message.alert
                : undefined
          if (given === undefined) return
          const held = client.getQueryData<FoundAlert>(options.queryKey)
          if (held !== undefined && (given.revision ?? 0) > held.alert.revision) later()
          client.setQueryData<FoundAlert>(options.queryKey, (found) => found && { ...found, alert: newer(found.alert, given) })
          void client.invalidateQueries({ queryKey: ['notifications', organizationId, alertId] })
        },
        onResync: refetch,
        // What happened between the fetch and the subscription.
        onSubscribed: refetch,
      },
    )
    return () => {
      clearTimeout(timer.current)
      end()
    }
  }, [client, socket, alertId, organizationId, options])
  return query
}

import type { SocketMessage } from '@tocsin/contracts'
import type { Change, Gone } from '../stream/change.ts'

const time = (at: number) => new Date(at).toISOString()
const text = (message: SocketMessage) => JSON.stringify(message)

export const hello = (now: number) => text({ type: 'hello', timestamp: time(now), protocol: 'tocsin.v1' })
export const subscribed = (now: number, organizationId: string, cursor: string) =>
  text({ type: 'subscribed', timestamp: time(now), organizationId, cursor })
export const resync = (now: number, cursor: string, reason: string) =>
  text({ type: 'resync', timestamp: time(now), cursor, reason })
export const failure = (now: number, code: string, message: string) =>
  text({ type: 'error', timestamp: time(now), code, message })

/** `alert_created` or `alert_updated`. `alert` is JSON text already: it is not parsed again for each socket. */
export function upsert(type: 'alert_created' | 'alert_updated', change: Change, alert: string, cursor: string): string {
  const head = JSON.stringify({
    type,
    timestamp: time(change.at),
    ...(change.userId === undefined ? {} : { userId: change.userId }),
    cursor,
  })
  return `${head.slice(0, -1)}${change.partial ? ',"partial":true' : ''},"alert":${alert}}`
}

export const deleted = (change: Change, reason: Gone, cursor: string) =>
  text({
    type: 'alert_deleted',
    timestamp: time(change.at),
    ...(change.userId === undefined ? {} : { userId: change.userId }),
    cursor,
    alertId: change.alertId,
    reason,
  })

/** Changes coalesced for a slow socket: the newest state of each alert. `at`: of the newest change. */
export const bulk = (at: number, alerts: readonly string[], cursor: string) =>
  `{"type":"bulk_update","timestamp":"${time(at)}","cursor":${JSON.stringify(cursor)},"alerts":[${alerts.join(',')}]}`

/** The organization's alerts as the dashboard sees them: one WebSocket from a position on. */
import type { Alert, AlertPage, SocketMessage } from '@tocsin/contracts'
import { TerminalError } from '@tocsin/errors'
import { fetchJson } from '../api.ts'

export interface AlertSocket {
  /** Resolves with the first alert state for which `test` holds, also one that came before; rejects at the limit or when the socket ends. */
  first(test: (alert: Alert) => boolean, what: string, limitMs: number): Promise<{ readonly alert: Alert; readonly at: number }>
  close(): void
}

interface Seen {
  readonly alert: Alert
  /** Monotonic ms. */
  readonly at: number
}

const OPEN_LIMIT_MS = 10_000

/** Resolves when the subscription stands, so that nothing sent afterwards is missed. */
export async function openAlertSocket(options: {
  readonly gateway: string
  readonly token: string
  readonly organizationId: string
}): Promise<AlertSocket> {
  const { gateway, token, organizationId } = options
  const query = new URLSearchParams({ organizationId, limit: '1' })
  const { streamCursor } = await fetchJson<AlertPage>(`${gateway}/api/alerts?${query}`, { token })
  const socket = new WebSocket(`${gateway.replace(/^http/, 'ws')}/ws`, ['tocsin.v1', `bearer.${token}`])
  const seen: Seen[] = []
  const listeners = new Set<() => void>()
  let ended: string | undefined
  let subscribed = false
  const wake = () => {
    for (const listener of listeners) listener()
  }
  socket.addEventListener('close', ({ code, reason }) => {
    ended ??= `the socket was closed (${code}${reason === '' ? '' : ` ${reason}`})`
    wake()
  })
  socket.addEventListener('error', () => {
    ended ??= 'the socket failed'
    wake()
  })
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as SocketMessage
    const at = performance.now()
    if (message.type === 'hello') socket.send(JSON.stringify({ type: 'subscribe', organizationId, cursor: streamCursor }))
    if (message.type === 'subscribed') subscribed = true
    if (message.type === 'error') ended = `${message.code}: ${message.message}`
    if (message.type === 'alert_created' || message.type === 'alert_updated') seen.push({ alert: message.alert as Alert, at })
    if (message.type === 'bulk_update') seen.push(...message.alerts.map((alert) => ({ alert: alert as Alert, at })))
    wake()
  })
  const wait = <T>(found: () => T | undefined, what: string, limitMs: number): Promise<T> =>
    new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer)
        listeners.delete(look)
        settle()
      }
      const look = () => {
        const value = found()
        if (value !== undefined) end(() => resolve(value))
        else if (ended !== undefined) end(() => reject(new TerminalError(`While waiting for ${what} ${ended}.`)))
      }
      const timer = setTimeout(
        () => end(() => reject(new TerminalError(`Waited ${limitMs / 1000} s for ${what} in vain.`))),
        limitMs,
      )
      listeners.add(look)
      look()
    })
  await wait(() => (subscribed ? true : undefined), 'the subscription', OPEN_LIMIT_MS)
  return {
    first: (test, what, limitMs) => wait(() => seen.find(({ alert }) => test(alert)), what, limitMs),
    close: () => socket.close(),
  }
}

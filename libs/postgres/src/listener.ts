import pg from 'pg'
import type { Logger } from 'pino'
import { type Query, queryOf, SESSION_OPTIONS } from './pool.ts'
import { asDatabaseError } from './sqlstate.ts'

/** A connection of its own: for session locks, and for being woken by NOTIFY. */
export interface Listener {
  readonly query: Query
  /** Resolves with the next notification, also one that came since the last call, after `limitMs`, when the connection is lost, or at abort. */
  notified(limitMs: number, signal: AbortSignal): Promise<void>
  /** Why the connection is lost; null while it lives. */
  lost(): Error | null
  close(): Promise<void>
}

/** Connects and listens on `channel` (a name of ours, not of a request). Rejects with RetryableError while PostgreSQL is away. */
export async function listenOn(
  url: string,
  options: { readonly name: string; readonly channel: string; readonly log: Logger },
): Promise<Listener> {
  const client = new pg.Client({ connectionString: url, application_name: options.name, ...SESSION_OPTIONS })
  let lost: Error | null = null
  let pending = false
  let wake = () => {}
  const ended = (error: Error) => {
    lost ??= error
    wake()
  }
  client.on('error', ended)
  client.on('end', () => ended(new Error('Connection terminated')))
  client.on('notification', () => {
    pending = true
    wake()
  })
  const query = queryOf(client)
  try {
    await client.connect()
    await query(`LISTEN ${pg.escapeIdentifier(options.channel)}`)
  } catch (error) {
    await client.end().catch(() => {})
    throw asDatabaseError(error)
  }
  return {
    query,
    notified: async (limitMs, signal) => {
      if (!pending && lost === null && !signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>()
        wake = resolve
        const timer = setTimeout(resolve, limitMs)
        const stop = () => resolve()
        signal.addEventListener('abort', stop)
        await promise
        clearTimeout(timer)
        signal.removeEventListener('abort', stop)
      }
      pending = false
    },
    lost: () => lost,
    close: async () => {
      client.removeAllListeners('notification')
      await client.end().catch(() => {})
    },
  }
}

import { RetryableError } from '@tocsin/errors'
import { Redis } from 'ioredis'
import type { Logger } from 'pino'

/** A command answers or fails within this time: Redis is never what a request waits for. */
const COMMAND_TIMEOUT_MS = 500
const RECONNECT_CAP_MS = 2_000
/** After a command that got no answer (a server that hangs keeps its connections open) the next one is tried no sooner. */
const REST_MS = 1_000

export type { Redis }

export interface RedisHandle {
  readonly client: Redis
  isUp(): boolean
  /** Runs a command; every failure becomes a RetryableError, the first within COMMAND_TIMEOUT_MS, those of the next REST_MS at once. */
  attempt<T>(command: (client: Redis) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Connects in the background and reconnects for ever; never rejects, never throws unhandled. Commands fail fast while it is away. */
export function connectRedis(
  url: string,
  options: { readonly name: string; readonly log: Logger; readonly onChange?: (up: boolean) => void },
): RedisHandle {
  const { log } = options
  // Not known before the first answer or failure, so that a Redis that is away from the start is told too.
  let up: boolean | undefined
  let restUntil = 0
  const client = new Redis(url, {
    connectionName: options.name,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: 1_000,
    retryStrategy: (attempts) => Math.min(100 * attempts, RECONNECT_CAP_MS),
  })
  const change = (now: boolean, reason?: string) => {
    if (now === up) return
    up = now
    if (now) log.info('redis answers')
    else log.warn({ reason }, 'redis is away')
    options.onChange?.(now)
  }
  client.on('ready', () => change(true))
  client.on('close', () => change(false, 'connection closed'))
  client.on('error', (error: Error) => change(false, error.message))
  return {
    client,
    isUp: () => up === true,
    attempt: async (command) => {
      if (up !== true || performance.now() < restUntil) throw new RetryableError('Redis is away')
      try {
        return await command(client)
      } catch (error) {
        restUntil = performance.now() + REST_MS
        throw new RetryableError('Redis did not answer', { cause: error })
      }
    },
    close: async () => {
      client.removeAllListeners()
      client.on('error', () => {})
      client.disconnect()
    },
  }
}

/**
 * One service process from start to end.
 *
 * 1. SIGTERM, SIGINT or a lost parent (IPC disconnect) stop it once, in the order the service gives, and exit 0.
 * 2. A stop that lasts longer than the limit exits 1; whatever is open then is cut.
 * 3. An error that nobody handled is logged and exits 1 at once: state is rebuilt from the log, never patched up.
 */
import { messageOf, TocsinError } from '@tocsin/errors'
import type { Logger } from 'pino'

const STOP_LIMIT_MS = 15_000

export interface Running {
  /** Stops consumers, then what they write to, then stores. */
  stop(): Promise<void>
}

/** `start` gets a signal that aborts when the process is told to stop, also while it is still starting. */
export async function runService(options: {
  readonly log: Logger
  readonly start: (signal: AbortSignal) => Promise<Running>
  readonly stopLimitMs?: number
}): Promise<void> {
  const { log } = options
  const stopping = new AbortController()
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal))
    // A child of the local supervisor must not outlive it (1).
    process.on('disconnect', () => resolve('parent gone'))
  })
  const crash = (error: unknown, message: string): never => {
    log.fatal({ err: error, code: error instanceof TocsinError ? error.code : undefined }, message)
    process.exit(1)
  }
  process.on('uncaughtException', (error) => crash(error, 'uncaught exception'))
  process.on('unhandledRejection', (error) => crash(error, 'unhandled rejection'))

  void stopped.then((why) => {
    log.info({ why }, 'stopping')
    stopping.abort(new Error(`stopping: ${why}`))
    setTimeout(
      () => crash(new Error(`not stopped after ${options.stopLimitMs ?? STOP_LIMIT_MS} ms`), 'stop took too long'),
      options.stopLimitMs ?? STOP_LIMIT_MS,
    ).unref()
  })

  let running: Running
  try {
    running = await options.start(stopping.signal)
  } catch (error) {
    if (stopping.signal.aborted) process.exit(0)
    return crash(error, `could not start: ${messageOf(error)}`)
  }
  await stopped
  try {
    await running.stop()
  } catch (error) {
    crash(error, 'stop failed')
  }
  log.info('stopped')
  process.exit(0)
}

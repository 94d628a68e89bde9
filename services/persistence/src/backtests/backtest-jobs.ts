/**
 * Backtests, each in a thread of its own.
 *
 * 1. The API's event loop never waits for one: events are read, matched and counted in the thread.
 * 2. One at a time of an organization, two of an instance; one that takes more time or memory than it may ends with its thread.
 * 3. Jobs are kept in memory, for an hour after their end: another instance, or this one after a restart, does not know them.
 */
import { randomUUID } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import type { Backtest } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import type { Logger } from '@tocsin/telemetry'
import type { BacktestTask } from './backtest-task.ts'
import type { BacktestMessage } from './backtest-thread.ts'

const THREAD = new URL('./backtest-thread.ts', import.meta.url)
const MAX_RUNNING = 2
const LIMIT_MS = 120_000
const MAX_HEAP_MB = 512
const KEPT_MS = 3_600_000
/** Of an organization; the oldest goes first. */
const MAX_KEPT = 20
const BUSY_RETRY_SECONDS = '30'

interface Job {
  readonly organizationId: string
  readonly thread: Worker
  readonly limit: NodeJS.Timeout
  view: Backtest
  /** ms since 1970; null while it runs. */
  endedAt: number | null
}

export interface BacktestJobsOptions {
  readonly log: Logger
  readonly limitMs?: number
  readonly heapMb?: number
}

export class BacktestJobs {
  readonly #options: Required<BacktestJobsOptions>
  readonly #jobs = new Map<string, Job>()

  constructor(options: BacktestJobsOptions) {
    this.#options = { limitMs: LIMIT_MS, heapMb: MAX_HEAP_MB, ...options }
  }

  /** @throws HttpProblem 409 BACKTEST_RUNNING with the id of the running one, 503 BUSY (2) */
  start(task: BacktestTask): Backtest {
    const { organizationId } = task
    const running = [...this.#jobs.values()].filter(({ endedAt }) => endedAt === null)
    const own = running.find((job) => job.organizationId === organizationId)
    if (own !== undefined)
      throw new HttpProblem(409, 'BACKTEST_RUNNING', `The backtest ${own.view.id} is running. Wait for it, or cancel it.`, {
        extra: { running: own.view.id },
      })
    if (running.length >= MAX_RUNNING)
      throw new HttpProblem(503, 'BUSY', 'Other backtests are running at the moment. Try again.', {
        headers: { 'retry-after': BUSY_RETRY_SECONDS },
      })
    this.#forget(organizationId)
    return this.#begin(task).view
  }

  /** null: the organization has none of this id (3). */
  find(organizationId: string, id: string): Backtest | null {
    this.#forget(organizationId)
    const job = this.#jobs.get(id.toLowerCase())
    return job?.organizationId === organizationId ? job.view : null
  }

  /** One that has ended stays as it is. null: as in `find`. */
  cancel(organizationId: string, id: string): Backtest | null {
    if (this.find(organizationId, id) === null) return null
    this.#end(id.toLowerCase(), { state: 'cancelled' })
    return this.find(organizationId, id)
  }

  async close(): Promise<void> {
    for (const id of this.#jobs.keys()) this.#end(id, { state: 'cancelled' })
    await Promise.all([...this.#jobs.values()].map(({ thread }) => thread.terminate()))
  }

  #begin(task: BacktestTask): Job {
    const { limitMs, heapMb, log } = this.#options
    const id = randomUUID()
    const thread = new Worker(THREAD, { workerData: task, resourceLimits: { maxOldGenerationSizeMb: heapMb } })
    const fail = (code: string, detail: string) => this.#end(id, { state: 'failed', error: { code, detail } })
    const failUnexpectedly = (reason: unknown) => {
      if (job.endedAt !== null) return
      log.error({ backtest: id, reason }, 'a backtest failed')
      fail('INTERNAL', 'Something failed here. It is in the log.')
    }
    const limit = setTimeout(
      () => fail('BACKTEST_TOO_SLOW', `It took longer than ${limitMs / 1000} s. Ask for fewer hours or events.`),
      limitMs,
    )
    const view: Backtest = {
      id,
      ruleId: task.rule.ruleId,
      state: 'running',
      startedAt: new Date().toISOString(),
      progress: { events: 0, share: 0 },
      result: null,
      error: null,
    }
    const job: Job = { organizationId: task.organizationId, thread, limit, view, endedAt: null }
    this.#jobs.set(id, job)
    thread.on('message', (message: BacktestMessage) => {
      if ('progress' in message) job.view = { ...job.view, progress: message.progress }
      else if ('result' in message) this.#end(id, { state: 'done', result: message.result })
      else if (message.away) fail('UNAVAILABLE', 'The events cannot be read at the moment. Try again.')
      else failUnexpectedly(message.failed)
    })
    thread.on('error', (error) => {
      if ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY')
        fail('BACKTEST_TOO_LARGE', `It took more than ${heapMb} MiB of memory. Ask for fewer hours or events.`)
      else failUnexpectedly(error.stack)
    })
    thread.on('exit', (code) => failUnexpectedly(`the thread ended with ${code} and no answer`))
    return job
  }

  #end(id: string, how: Pick<Backtest, 'state'> & Partial<Backtest>): void {
    const job = this.#jobs.get(id)
    if (job === undefined || job.endedAt !== null) return
    job.view = { ...job.view, ...how }
    job.endedAt = Date.now()
    clearTimeout(job.limit)
    void job.thread.terminate()
  }

  #forget(organizationId: string): void {
    const before = Date.now() - KEPT_MS
    const own: string[] = []
    for (const [id, job] of this.#jobs) {
      if (job.endedAt === null) continue
      if (job.endedAt < before) this.#jobs.delete(id)
      else if (job.organizationId === organizationId) own.push(id)
    }
    for (const id of own.slice(0, -MAX_KEPT)) this.#jobs.delete(id)
  }
}

/**
 * Tasks on texts of rules, in threads of their own.
 *
 * 1. The API's event loop never waits for a rule: parsing, compiling, tests and events of the past are a thread's.
 * 2. A task that takes more time or memory than it may is ended with its thread; nothing of it is left.
 * 3. So many run at once and no more; others wait in their order, and beyond that are sent away.
 */
import { Worker } from 'node:worker_threads'
import { HttpProblem } from '@tocsin/errors'
import type { RuleTaskName, RuleTasks } from './tasks.ts'
import type { AskedTask, ThreadAnswer } from './worker.ts'

const THREAD = new URL('./worker.ts', import.meta.url)
/** Of each kind of pool; a thread that has loaded the engine holds some 60 MiB. */
const MAX_THREADS = 2
const MAX_WAITING = 16
const MAX_HEAP_MB = 256
/** A busy machine takes seconds to load the engine. */
const START_LIMIT_MS = 60_000
const BUSY_RETRY_SECONDS = '5'

export class RuleWorkers {
  /** Threads without a task; they are kept, because loading the engine takes longer than most tasks. */
  readonly #idle: Worker[] = []
  readonly #all = new Set<Worker>()
  readonly #waiting: (() => void)[] = []
  #running = 0

  /** @throws HttpProblem 422 RULE_TOO_SLOW or RULE_TOO_LARGE (2), 503 BUSY (3) */
  async run<N extends RuleTaskName>(name: N, input: RuleTasks[N]['input'], limitMs: number): Promise<RuleTasks[N]['output']> {
    await this.#turn()
    const idle = this.#idle.pop()
    const thread = idle ?? this.#start()
    try {
      // Loading is not the task's time.
      if (idle === undefined) await answerOf(thread, START_LIMIT_MS)
      const task: AskedTask = { name, input }
      thread.postMessage(task)
      const answer = await answerOf(thread, limitMs)
      if (!('output' in answer)) throw new Error(`a rule's task failed: ${'failed' in answer ? answer.failed : 'no output'}`)
      this.#idle.push(thread)
      return answer.output as RuleTasks[N]['output']
    } catch (error) {
      this.#all.delete(thread)
      await thread.terminate()
      throw error
    } finally {
      this.#running -= 1
      this.#waiting.shift()?.()
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((thread) => thread.terminate()))
    this.#all.clear()
  }

  #start(): Worker {
    const thread = new Worker(THREAD, { resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } })
    this.#all.add(thread)
    return thread
  }

  async #turn(): Promise<void> {
    if (this.#running >= MAX_THREADS) {
      if (this.#waiting.length >= MAX_WAITING)
        throw new HttpProblem(503, 'BUSY', 'Too many rules are being tried at the moment. Try again.', {
          headers: { 'retry-after': BUSY_RETRY_SECONDS },
        })
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#running += 1
  }
}

/** The next answer of a thread. */
function answerOf(thread: Worker, limitMs: number): Promise<ThreadAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<ThreadAnswer>()
  const limit = setTimeout(
    () => reject(new HttpProblem(422, 'RULE_TOO_SLOW', `It took longer than ${limitMs / 1000} s. Try fewer or smaller tests.`)),
    limitMs,
  )
  const onError = (error: Error) => reject(isOutOfMemory(error) ? tooLarge(error) : error)
  const onExit = (code: number) => reject(new Error(`the thread of a rule's task ended with ${code} and no answer`))
  thread.on('message', resolve).on('error', onError).on('exit', onExit)
  return promise.finally(() => {
    clearTimeout(limit)
    thread.off('message', resolve).off('error', onError).off('exit', onExit)
  })
}

const isOutOfMemory = (error: Error): boolean => 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
const tooLarge = (cause: Error) =>
  new HttpProblem(422, 'RULE_TOO_LARGE', `It took more than ${MAX_HEAP_MB} MiB of memory. Try fewer or smaller tests.`, { cause })

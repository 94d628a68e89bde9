/** A thread that does one task after the other. */
import { parentPort } from 'node:worker_threads'
import { messageOf } from '@tocsin/errors'
import { RULE_TASKS, type RuleTaskName } from './tasks.ts'

/** What the thread is asked, and what it answers: that it has loaded all it needs, then one answer for each task. */
export interface AskedTask {
  readonly name: RuleTaskName
  readonly input: unknown
}
export type ThreadAnswer = { readonly ready: true } | { readonly output: unknown } | { readonly failed: string }

const answer = (message: ThreadAnswer) => parentPort?.postMessage(message)

parentPort?.on('message', async ({ name, input }: AskedTask) => {
  try {
    answer({ output: await RULE_TASKS[name](input as never) })
  } catch (error) {
    answer({ failed: error instanceof Error ? (error.stack ?? error.message) : messageOf(error) })
  }
})
answer({ ready: true })

/** A thread that runs one backtest. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Backtest, BacktestResult } from '@tocsin/contracts'
import { isRetryable, messageOf } from '@tocsin/errors'
import { type BacktestTask, runBacktest } from './backtest-task.ts'

export type BacktestMessage =
  | { readonly progress: Backtest['progress'] }
  | { readonly result: BacktestResult }
  /** `away`: a dependency is, and it may be tried again. */
  | { readonly failed: string; readonly away: boolean }

const tell = (message: BacktestMessage) => parentPort?.postMessage(message)

try {
  tell({ result: await runBacktest(workerData as BacktestTask, (progress) => tell({ progress })) })
} catch (error) {
  tell({ failed: error instanceof Error ? (error.stack ?? error.message) : messageOf(error), away: isRetryable(error) })
}

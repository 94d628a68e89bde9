/** `tocsin rules backtest`: rules over events of the past. Results on standard output, figures on standard error. */
import { RAW_FORMAT } from '@tocsin/backtest'
import type { TopicRange } from '@tocsin/backtest/topic-range'
import { TerminalError } from '@tocsin/errors'
import type { SigmaError } from '@tocsin/sigma'
import { plain } from '../../output.ts'
import { faultLines, readDocuments, readRules } from '../../rules/rule-files.ts'
import type { FileOptions } from './events-file.ts'

const NO_RULES = { rules: [], faults: [] }

export interface BacktestOptions extends FileOptions {
  /** Undefined, of a range only: the rules that were in force there. */
  readonly rules?: readonly string[] | undefined
  /** A file, or a range of `audit.events`. */
  readonly events: string | TopicRange
  /** What is printed: the last state of each alert, each change, or each match of a detection. */
  readonly print?: 'alerts' | 'changes' | 'matches' | undefined
  readonly settings?: string | undefined
}

/** Returns the exit code 0: faults of rules and of events are told, the rest goes on. */
export async function backtest(options: BacktestOptions): Promise<number> {
  const { output, events, rules } = options
  if (rules === undefined && typeof events === 'string') throw new TerminalError('Which rules? Name them with --rules.')
  const isRaw = options.format === RAW_FORMAT
  const refuse = (faults: readonly SigmaError[]) => {
    for (const line of faultLines(faults)) output.note(plain(`refused: ${line}`))
  }
  if (options.print === 'matches') {
    if (rules === undefined || typeof events !== 'string') throw new TerminalError('--matches is of a file.')
    const { documents, faults } = readDocuments(rules)
    refuse(faults)
    const { backtestMatches } = await import('./backtest-matches.ts')
    backtestMatches(documents, events, options)
  } else {
    const set = rules === undefined ? NO_RULES : readRules(rules, { anySource: isRaw })
    refuse(set.faults)
    const { backtestAlerts } = await import('./backtest-alerts.ts')
    await backtestAlerts(set.rules, options)
  }
  return 0
}

import {
  type BadLine,
  type CheckedRule,
  checkRule,
  type ExplainedRule,
  explainRule,
  type FileEvent,
  type HiddenIds,
  hiddenAlerts,
  type LookedAtAlert,
  MappedReader,
  type RuleText,
  readRule,
} from '@tocsin/backtest'
import type { OrganizationSettings } from '@tocsin/contracts'
import { SelectionError } from '@tocsin/sigma'

/** What is done with texts of rules apart from the API's thread: any text may cost more than an answer may wait for. */
export interface RuleTasks {
  readonly check: {
    readonly input: { readonly rules: readonly RuleText[]; readonly withTests: boolean }
    readonly output: readonly CheckedRule[]
  }
  readonly hide: {
    readonly input: { readonly match: unknown; readonly alerts: readonly LookedAtAlert[] }
    readonly output: HiddenIds | { readonly refused: string; readonly pointer: string }
  }
  readonly explain: { readonly input: ExplainInput; readonly output: ExplainOutput }
}
export type RuleTaskName = keyof RuleTasks

interface ExplainInput {
  readonly rule: RuleText
  readonly events: readonly unknown[]
  readonly settings: OrganizationSettings
  /** ms since 1970. */
  readonly now: number
}
type ExplainOutput = Omit<CheckedRule, 'tests'> & ExplainedRule & { readonly unread: readonly BadLine[] }

/** Run in the worker's thread. */
export const RULE_TASKS: {
  readonly [N in RuleTaskName]: (input: RuleTasks[N]['input']) => RuleTasks[N]['output'] | Promise<RuleTasks[N]['output']>
} = {
  check: ({ rules, withTests }) => rules.map((rule) => checkRule(rule, withTests)),
  hide: ({ match, alerts }) => {
    try {
      return hiddenAlerts(match, alerts)
    } catch (error) {
      if (!(error instanceof SelectionError)) throw error
      return { refused: error.message, pointer: error.pointer }
    }
  },
  explain: ({ rule: text, events, settings, now }) => {
    const { rule, ...read } = readRule(text)
    const found: FileEvent[] = []
    const unread: BadLine[] = []
    const reader = new MappedReader(
      { format: undefined, year: undefined, zone: undefined, now },
      { event: (event) => void found.push(event), bad: (line) => void unread.push(line) },
    )
    for (const [index, event] of events.entries())
      reader.take(typeof event === 'string' ? event : JSON.stringify(event), index + 1)
    reader.end()
    const explained = rule === null ? NOTHING_EXPLAINED : explainRule(rule, found, () => settings)
    return { ...read, ...explained, unread }
  },
}

const NOTHING_EXPLAINED: ExplainedRule = { events: [], windows: [], uncounted: {} }

import { type CheckedRule, checkRule, type RuleText } from '@tocsin/backtest'

/** What is done with texts of rules apart from the API's thread: any text may cost more than an answer may wait for. */
export interface RuleTasks {
  readonly check: {
    readonly input: { readonly rules: readonly RuleText[]; readonly withTests: boolean }
    readonly output: readonly CheckedRule[]
  }
}
export type RuleTaskName = keyof RuleTasks

/** Run in the worker's thread. */
export const RULE_TASKS: {
  readonly [N in RuleTaskName]: (input: RuleTasks[N]['input']) => RuleTasks[N]['output'] | Promise<RuleTasks[N]['output']>
} = {
  check: ({ rules, withTests }) => rules.map((rule) => checkRule(rule, withTests)),
}

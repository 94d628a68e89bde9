/** Texts that want to be rules: compiled, and their own tests run, before anything is written. */
import type { CheckedRule, RuleFault, RuleText as TriedText } from '@tocsin/backtest'
import { HttpProblem } from '@tocsin/errors'
import type { RuleText } from '../core/rule-step.ts'
import type { RuleWorkers } from '../rule-work/rule-workers.ts'

export interface WantedRule {
  readonly ruleId: string
  readonly content: string
}

/** A rule's text is compiled, and its tests are run, within this. */
const ONE_LIMIT_MS = 10_000
/** A folder's are, all together; a request has 60 s. */
const FOLDER_LIMIT_MS = 40_000
const MAX_TOLD = 20

/** The texts, by their rules' ids. @throws HttpProblem 422 RULE_REFUSED, RULE_TEST_FAILED, RULE_TOO_SLOW, RULE_TOO_LARGE */
export async function checkTexts(
  workers: RuleWorkers,
  wanted: readonly WantedRule[],
  withTests: boolean,
): Promise<ReadonlyMap<string, RuleText>> {
  const limitMs = wanted.length > 1 ? FOLDER_LIMIT_MS : ONE_LIMIT_MS
  const checked = await workers.run('check', { rules: wanted, withTests }, limitMs)
  refuseFaulty(checked)
  const texts = new Map(wanted.map(({ ruleId, content }) => [ruleId, content]))
  return new Map(
    checked.map(({ ruleId, title, hash }) => [ruleId, { title: title ?? ruleId, hash, content: texts.get(ruleId) ?? '' }]),
  )
}

/** One text as the rule of that id, or of the id that it says itself; it is kept nowhere. @throws as checkTexts */
export async function checkText(workers: RuleWorkers, text: TriedText): Promise<Pick<CheckedRule, 'ruleId' | 'hash'>> {
  const checked = await workers.run('check', { rules: [text], withTests: false }, ONE_LIMIT_MS)
  refuseFaulty(checked)
  const [only] = checked
  if (only === undefined) throw new Error('a text was checked without an answer')
  return only
}

function refuseFaulty(checked: readonly CheckedRule[]): void {
  const faults = checked.flatMap(({ ruleId, faults }) => faults.map((fault) => ({ ruleId, ...fault })))
  if (faults.length > 0)
    throw new HttpProblem(422, 'RULE_REFUSED', toldOf(faults.map(placed)), { extra: { faults: faults.slice(0, MAX_TOLD) } })
  const failed = checked.flatMap(({ ruleId, tests }) =>
    tests.filter(({ faults }) => faults.length > 0).map(({ name, faults }) => ({ ruleId, test: name, differences: faults })),
  )
  if (failed.length > 0)
    throw new HttpProblem(
      422,
      'RULE_TEST_FAILED',
      toldOf(failed.map(({ ruleId, test, differences }) => `${ruleId}, test "${test}": ${differences.join('; ')}`)),
      { extra: { tests: failed.slice(0, MAX_TOLD) } },
    )
}

const placed = ({ ruleId, line, column, message }: RuleFault & { readonly ruleId: string }): string =>
  `${ruleId}:${line}:${column}: ${message}`

const toldOf = (all: readonly string[]): string =>
  all.length <= MAX_TOLD ? all.join('\n') : [...all.slice(0, MAX_TOLD), `… and ${all.length - MAX_TOLD} more`].join('\n')

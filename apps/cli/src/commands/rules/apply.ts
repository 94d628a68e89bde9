/** `tocsin rules apply`: a folder's rules become the organization's, all of them or none; the plan first. */
import { basename, resolve } from 'node:path'
import type { ApplyRules, RulePlan } from '@tocsin/contracts'
import { plain } from '../../output.ts'
import { faultLines, readRules } from '../../rules/rule-files.ts'
import { postTo, type RulesAccess } from './rules-api.ts'

export interface ApplyOptions extends RulesAccess {
  readonly folder: string
  /** What the rules' owner is called; else the folder's own name. */
  readonly name?: string | undefined
  readonly reason?: string | undefined
  readonly yes: boolean
}

/** Returns the exit code: 1 where a rule has a fault and nothing was planned. */
export async function applyRules(options: ApplyOptions): Promise<number> {
  const { folder, output, yes } = options
  const { rules, faults } = readRules([folder])
  for (const line of faultLines(faults)) output.result(plain(`refused: ${line}`))
  if (faults.length > 0) {
    output.note(`${faults.length} faults: nothing is applied`)
    return 1
  }
  const name = options.name ?? basename(resolve(folder))
  const body: ApplyRules = {
    folder: name,
    rules: rules.map(({ record: { ruleId, content } }) => ({ ruleId, content })),
    reason: options.reason ?? `tocsin rules apply ${name}`,
    dryRun: !yes,
  }
  const plan = await postTo<RulePlan>(options, '/apply', body)
  if (options.json === true) output.result(JSON.stringify(plan))
  else for (const { ruleId, title, change } of plan.items) output.result(plain(`${change.padEnd(9)}  ${ruleId}  ${title}`))
  const counts = Map.groupBy(plan.items, ({ change }) => change)
  const told = [...counts].map(([change, items]) => `${items.length} ${change}`).join(', ') || 'no rules'
  output.note(`${told}. ${plan.applied ? 'Applied.' : 'Nothing is applied yet: run it again with --yes.'}`)
  return 0
}

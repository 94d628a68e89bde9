/** `tocsin rules ls`, `show`, `diff`, `activate`, `pause`, `resume`, `retire`. */
import type { ListedRule, Rule, RuleWithText } from '@tocsin/contracts'
import { plain } from '../../output.ts'
import { pathOf, postTo, type RulesAccess, readFrom } from './rules-api.ts'

export async function listRules(access: RulesAccess): Promise<number> {
  const { items } = await readFrom<{ items: ListedRule[] }>(access, '')
  if (access.json === true) access.output.result(JSON.stringify(items))
  else for (const rule of items) access.output.result(`${lineOf(rule)}  ${plain(firesOf(rule))}`)
  return 0
}

export async function showRule(access: RulesAccess, ruleId: string): Promise<number> {
  const rule = await readFrom<RuleWithText>(access, pathOf(ruleId))
  if (access.json === true) access.output.result(JSON.stringify(rule))
  else {
    access.output.note(lineOf(rule))
    access.output.note(
      plain(`text of version ${rule.text.version}, ${rule.text.act} by ${rule.text.author}: ${rule.text.reason}`),
    )
    access.output.result(rule.text.content.trimEnd().split('\n').map(plain).join('\n'))
  }
  return 0
}

export async function diffRule(access: RulesAccess, ruleId: string, from: number, to: number): Promise<number> {
  const query = { from: String(from), to: String(to) }
  const { diff } = await readFrom<{ diff: string }>(access, `${pathOf(ruleId)}/diff`, query)
  if (diff === '') access.output.note('the texts are equal')
  else access.output.result(diff.trimEnd().split('\n').map(plain).join('\n'))
  return 0
}

export type RuleAct = 'activate' | 'pause' | 'resume' | 'retire'

export async function actOnRule(access: RulesAccess, ruleId: string, act: RuleAct, reason: string): Promise<number> {
  const rule = await postTo<RuleWithText>(access, `${pathOf(ruleId)}/${act}`, { reason })
  access.output.result(access.json === true ? JSON.stringify(rule) : lineOf(rule))
  return 0
}

const firesOf = ({ fires, falsePositiveShare, lastFired }: ListedRule): string =>
  lastFired === null ? 'never fired' : `fired ${fires}, last ${lastFired}, false ${Math.round((falsePositiveShare ?? 0) * 100)} %`

const lineOf = ({ state, version, inForce, draft, owner, ruleId, title }: Rule): string => {
  const versions =
    `${inForce === null ? '' : `in force ${inForce}`}${draft === null ? '' : ` draft ${draft}`}`.trim() || `version ${version}`
  return plain([state.padEnd(7), versions.padEnd(18), owner.padEnd(12), ruleId, title].join('  '))
}

import type { RulePlan } from '@tocsin/contracts'
import { folderOwner, type RuleText } from './rule-step.ts'

export type RuleChange = RulePlan['items'][number]['change']

/** A rule of the organization, as far as a folder must know it. */
export interface PresentRule {
  readonly ruleId: string
  readonly title: string
  readonly state: 'draft' | 'active' | 'paused' | 'retired'
  readonly owner: string
  /** Of the text in force; null: never in force. */
  readonly hash: string | null
}

export interface PlannedRule {
  readonly ruleId: string
  readonly title: string
  readonly change: RuleChange
  /** The text that is to go in force; null: none. */
  readonly text: RuleText | null
}

export interface FolderPlan {
  readonly items: readonly PlannedRule[]
  /** Rules that somebody else owns: nothing may be applied. */
  readonly foreign: readonly PresentRule[]
}

/** What a folder's texts come to: by id, those that are gone last. The same folder again is `unchanged` in every item. */
export function planFolder(
  folder: string,
  texts: ReadonlyMap<string, RuleText>,
  present: ReadonlyMap<string, PresentRule>,
): FolderPlan {
  const owner = folderOwner(folder)
  const foreign: PresentRule[] = []
  const items = [...texts].sort(byId).flatMap(([ruleId, text]): PlannedRule[] => {
    const rule = present.get(ruleId)
    const { title } = text
    if (rule === undefined) return [{ ruleId, title, change: 'new', text }]
    if (rule.owner !== owner && rule.state !== 'retired') {
      foreign.push(rule)
      return []
    }
    const isSame = rule.hash === text.hash && rule.owner === owner
    if (rule.state === 'paused') return [{ ruleId, title, change: 'paused', text: isSame ? null : text }]
    if (rule.state === 'active' && isSame) return [{ ruleId, title, change: 'unchanged', text: null }]
    return [{ ruleId, title, change: rule.state === 'retired' ? 'new' : 'changed', text }]
  })
  const gone = [...present.values()]
    .filter((rule) => rule.owner === owner && rule.state !== 'retired' && !texts.has(rule.ruleId))
    .map(({ ruleId, title }): PlannedRule => ({ ruleId, title, change: 'retired', text: null }))
    .sort((a, b) => byId([a.ruleId], [b.ruleId]))
  return { items: [...items, ...gone], foreign }
}

const byId = ([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]): number => (a < b ? -1 : a > b ? 1 : 0)

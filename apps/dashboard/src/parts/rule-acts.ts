import type { Rule } from '@tocsin/contracts'
import type { RuleOrder } from '../api/rules.ts'

export type RuleAct = RuleOrder['act']

/** Who may change the text of a rule. */
export type RuleKeeper =
  | { readonly kind: 'here' }
  /** Shipped with the installation: paused and resumed here, and not changed. */
  | { readonly kind: 'installation' }
  | { readonly kind: 'folder'; readonly folder: string }

export function keeperOf({ owner, state }: Pick<Rule, 'owner' | 'state'>): RuleKeeper {
  if (owner === 'pack') return { kind: 'installation' }
  // What a folder has retired is nobody's.
  if (owner.startsWith('folder:') && state !== 'retired') return { kind: 'folder', folder: owner.slice('folder:'.length) }
  return { kind: 'here' }
}

export const ownerName = ({ owner }: Pick<Rule, 'owner'>): string =>
  owner === 'pack' ? 'the installation' : owner === 'api' ? 'this organization' : owner.replace(/^folder:/, 'folder ')

/** Acts that would not be refused, by the table of persistence (core/rule-states.ts). Reverting has a version of its own each. */
export function offeredActs(rule: Pick<Rule, 'owner' | 'state' | 'draft'>): readonly Exclude<RuleAct, 'revert'>[] {
  const isOurs = keeperOf(rule).kind === 'here'
  return [
    ...(isOurs && rule.draft !== null && rule.state !== 'retired' ? (['activate'] as const) : []),
    ...(rule.state === 'active' ? (['pause'] as const) : []),
    ...(rule.state === 'paused' ? (['resume'] as const) : []),
    ...(isOurs && rule.state !== 'retired' ? (['retire'] as const) : []),
  ]
}

/** One line of a unified diff. */
export interface DiffLine {
  /** Its number, from 0. */
  readonly at: number
  readonly kind: 'added' | 'removed' | 'place' | 'same'
  readonly text: string
}

export function diffLines(diff: string): readonly DiffLine[] {
  const lines = diff.split('\n')
  const begin = lines.findIndex((line) => line.startsWith('@@'))
  return (begin < 0 ? [] : lines.slice(begin))
    .filter((line) => line !== '')
    .map((text, at) => ({
      at,
      text,
      kind: text.startsWith('+') ? 'added' : text.startsWith('-') ? 'removed' : text.startsWith('@@') ? 'place' : 'same',
    }))
}

/** Lines of events as the API takes them: JSON where they are, else text (sshd). */
export const eventsOf = (text: string): readonly unknown[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      try {
        return JSON.parse(line) as unknown
      } catch {
        return line
      }
    })

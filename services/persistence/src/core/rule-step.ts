import type { RuleRecord, RuleState, RuleVersionAct } from '@tocsin/contracts'
import { isRuleRefusal, PACK_TRANSITIONS, RULE_TRANSITIONS, type RuleRefusal } from './rule-states.ts'

export const PACK = 'pack'
export const API = 'api'
export const folderOwner = (folder: string): string => `folder:${folder}`

export interface RuleText {
  readonly title: string
  readonly content: string
  /** SHA-256 of content, hex. */
  readonly hash: string
}

/** A rule as an organization has it. `version` 0: the organization has none of its own yet (a new rule, or one of the installation). */
export interface KnownRule {
  readonly ruleId: string
  readonly organizationId: string
  readonly state: RuleState
  readonly owner: string
  readonly version: number
  readonly inForce: number | null
  readonly draft: number | null
}

export type RuleCommand =
  | { readonly act: 'save'; readonly text: RuleText; readonly how: 'saved' | 'reverted' }
  /** A folder's text, which goes in force at once. */
  | { readonly act: 'apply'; readonly text: RuleText; readonly owner: string }
  /** `text`: of the draft. */
  | { readonly act: 'activate'; readonly text: RuleText | null }
  /** `text`: what is in force. */
  | { readonly act: 'pause' | 'resume' | 'retire'; readonly text: RuleText | null }

/** What a command comes to. */
export interface RuleStep {
  readonly from: RuleState
  readonly rule: KnownRule
  /** The version that is added; null where the draft's own goes in force. */
  readonly added: { readonly version: number; readonly act: RuleVersionAct; readonly text: RuleText } | null
  /** What the detector is told; null: nothing. */
  readonly publish: RuleRecord | null
}

const NAMES = { pause: 'paused', resume: 'resumed', retire: 'retired' } as const

export function decideRule(known: KnownRule, command: RuleCommand): RuleStep | RuleRefusal {
  const next = (known.owner === PACK ? PACK_TRANSITIONS : RULE_TRANSITIONS)[known.state][command.act]
  if (isRuleRefusal(next)) return next
  const version = known.version + 1
  const step = (rule: Partial<KnownRule>, added: RuleStep['added'], published: RuleText | null): RuleStep => {
    const changed = { ...known, state: next, ...rule }
    return { from: known.state, rule: changed, added, publish: published === null ? null : recordOf(changed, published) }
  }
  switch (command.act) {
    case 'save':
      return step({ version, draft: version }, { version, act: command.how, text: command.text }, null)
    case 'apply': {
      const { text, owner } = command
      return step({ version, inForce: version, draft: null, owner }, { version, act: 'applied', text }, text)
    }
    case 'activate': {
      const { draft, inForce } = known
      const { text } = command
      if (draft === null || text === null) return { refused: 'noDraft' }
      // The detector takes rising versions only: a draft from before a pause goes in force under a number of its own.
      if (draft > (inForce ?? 0)) return step({ inForce: draft, draft: null }, null, text)
      return step({ version, inForce: version, draft: null }, { version, act: 'activated', text }, text)
    }
    default: {
      const { act, text } = command
      const draft = act === 'retire' ? null : known.draft
      // What the detector was never told of ends without it.
      if (text === null) return step({ draft }, null, null)
      return step({ version, inForce: version, draft }, { version, act: NAMES[act], text }, text)
    }
  }
}

function recordOf({ ruleId, organizationId, state, inForce }: KnownRule, { content, hash }: RuleText): RuleRecord | null {
  if (inForce === null || state === 'draft') return null
  return { ruleId, organizationId, version: inForce, hash, state, content }
}

/** Changes with everything that a reader of the rule sees of its life. */
export const etagOf = ({ version, inForce, draft, state }: Omit<KnownRule, 'owner' | 'ruleId' | 'organizationId'>): string =>
  `"${version}.${inForce ?? 0}.${draft ?? 0}.${state}"`

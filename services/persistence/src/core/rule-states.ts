import type { RuleState } from '@tocsin/contracts'

/** What people, or a folder in their name, can do to a rule. */
export const RULE_ACTS = ['save', 'activate', 'apply', 'pause', 'resume', 'retire'] as const
export type RuleAct = (typeof RULE_ACTS)[number]

/** Why an act does not apply. */
export interface RuleRefusal {
  readonly refused: 'noDraft' | 'notActive' | 'notPaused' | 'alreadyThere' | 'ofPack'
}

const noDraft: RuleRefusal = { refused: 'noDraft' }
const notActive: RuleRefusal = { refused: 'notActive' }
const notPaused: RuleRefusal = { refused: 'notPaused' }
const there: RuleRefusal = { refused: 'alreadyThere' }
const ofPack: RuleRefusal = { refused: 'ofPack' }

/** A draft of a rule that is in force leaves it in force; a folder's new text of a paused rule leaves it paused. */
export const RULE_TRANSITIONS: Readonly<Record<RuleState, Readonly<Record<RuleAct, RuleState | RuleRefusal>>>> = {
  draft: { save: 'draft', activate: 'active', apply: 'active', pause: notActive, resume: notPaused, retire: 'retired' },
  active: { save: 'active', activate: 'active', apply: 'active', pause: 'paused', resume: notPaused, retire: 'retired' },
  paused: { save: 'paused', activate: 'active', apply: 'paused', pause: there, resume: 'active', retire: 'retired' },
  retired: { save: 'draft', activate: noDraft, apply: 'active', pause: notActive, resume: notPaused, retire: there },
}

/**
 * A rule of the installation within one organization: while the organization has paused it, a paused rule of its own stands in its
 * place, which retires when it is resumed (docs/detection.md D35).
 */
export const PACK_TRANSITIONS: Readonly<Record<RuleState, Readonly<Record<RuleAct, RuleState | RuleRefusal>>>> = {
  draft: { save: ofPack, activate: ofPack, apply: ofPack, pause: notActive, resume: notPaused, retire: ofPack },
  active: { save: ofPack, activate: ofPack, apply: ofPack, pause: 'paused', resume: notPaused, retire: ofPack },
  paused: { save: ofPack, activate: ofPack, apply: ofPack, pause: there, resume: 'retired', retire: ofPack },
  retired: { save: ofPack, activate: ofPack, apply: ofPack, pause: notActive, resume: notPaused, retire: ofPack },
}

export const isRuleRefusal = (next: RuleState | RuleRefusal): next is RuleRefusal => typeof next === 'object'

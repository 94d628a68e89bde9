/** One change of one rule, in a transaction that the caller has begun for the organization: row, version, history, outbox. */
import type { ActChannel, Rule, RuleWithText } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import type { Query } from '@tocsin/postgres'
import type { RuleRefusal } from '../core/rule-states.ts'
import { API, decideRule, etagOf, type KnownRule, PACK, type RuleCommand, type RuleText } from '../core/rule-step.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { addHistory } from '../repositories/history.ts'
import { addToOutbox, organizationRuleRecords } from '../repositories/outbox.ts'
import { countActiveRules, holding, type RulePair, readVersion, writeRule } from '../repositories/rules.ts'
import { CRITICAL_OF_RULE } from '../sql/rule-sql.ts'
import { CRITICAL_DAYS, type HidingAct, tellOfHidden } from './tell-of-hidden.ts'

/** What an engine runs beside the rules of the installation and keeps up with its partition (docs/benchmarks.md, many rules). */
export const MAX_ACTIVE_RULES = 500

/** Who changes it, and why. */
export interface RuleActor {
  readonly organizationId: string
  /** Of the organization, on `audit.events`. */
  readonly partition: number
  readonly actor: string
  readonly channel: ActChannel
  readonly ip: string
  readonly reason: string
  readonly traceparent: string | undefined
}

/** The rule as the organization has it; null: neither it nor the installation has one of that id. */
export function knownRule({ own, pack }: RulePair, organizationId: string): KnownRule | null {
  const rule = holding([own, pack])
  if (rule === null) return null
  const { ruleId, state, owner } = rule
  if (rule.organizationId !== null) {
    const { version, inForce, draft } = rule
    return { ruleId, organizationId, state, owner, version, inForce, draft }
  }
  return { ruleId, organizationId, state, owner: PACK, version: own?.version ?? 0, inForce: own?.inForce ?? null, draft: null }
}

export const newRule = (ruleId: string, organizationId: string, owner = API): KnownRule => ({
  ruleId,
  organizationId,
  state: 'draft',
  owner,
  version: 0,
  inForce: null,
  draft: null,
})

/** The text that is in force of a rule, or that of the installation's while the organization has none of its own. */
export async function textInForce(query: Query, { own, pack }: RulePair, known: KnownRule): Promise<RuleText | null> {
  if (known.owner === PACK) return pack?.text ?? null
  if (own === null || known.inForce === null) return null
  return readVersion(query, known.organizationId, known.ruleId, known.inForce)
}

/**
 * The organization's key must be loaded, and its rules locked. Stopping a rule that has found something CRITICAL lately is an alert
 * itself. @throws HttpProblem 409, 422
 */
export async function changeRule(
  query: Query,
  cipher: FieldCipher,
  known: KnownRule,
  command: RuleCommand,
  by: RuleActor,
): Promise<void> {
  const step = decideRule(known, command)
  if ('refused' in step) throw refusalOf(known, command.act, step)
  const at = new Date().toISOString()
  if (step.rule.state === 'active' && step.from !== 'active') {
    const active = await countActiveRules(query, by.organizationId)
    if (active >= MAX_ACTIVE_RULES)
      throw new HttpProblem(409, 'TOO_MANY_RULES', `The organization has ${active} active rules, and no more can run. Pause one.`)
  }
  await writeRule(query, step, { author: by.actor, reason: by.reason, at })
  const { organizationId } = by
  if (step.publish !== null)
    await addToOutbox(query, organizationRuleRecords({ ...step.publish, organizationId }, by.partition, by.traceparent))
  const { ruleId, version, inForce, draft, state } = step.rule
  const action = `rule.${PAST[command.act]}`
  await addHistory(query, cipher, {
    organizationId,
    at,
    actor: by.actor,
    channel: by.channel,
    ip: by.ip,
    action,
    about: { kind: 'rule', id: ruleId },
    details: { from: step.from, to: state, version, inForce, draft, hash: step.added?.text.hash ?? null, reason: by.reason },
  })
  if (step.from !== 'active' || state === 'active') return
  const hidden = await criticalAlertsOf(query, organizationId, ruleId)
  await tellOfHidden(query, cipher, { organization: by, actor: by.actor, action, what: 'rule', id: ruleId, hidden })
}

/** Of the last days, newest first. */
const criticalAlertsOf = (query: Query, organizationId: string, ruleId: string): Promise<HidingAct['hidden']> =>
  query<{ id: string; title: string }>(CRITICAL_OF_RULE, [organizationId, ruleId, CRITICAL_DAYS])

/** 412 where the rule is no longer as the caller read it. */
export function refuseStale(rule: RuleWithText | null, ifMatch: string | undefined): void {
  if (ifMatch === undefined || ifMatch.trim() === '*') return
  if (rule !== null && ifMatch.split(',').some((tag) => tag.trim() === etagOf(rule))) return
  const who = rule === null ? 'It is not there.' : `${rule.author} was first, at ${rule.updatedAt} (version ${rule.version}).`
  throw new HttpProblem(412, 'OVERTAKEN', `The rule is not as you read it: ${who} Look at it again, then decide.`, {
    extra: rule === null ? {} : { present: rule.state, actor: rule.author, at: rule.updatedAt, version: rule.version },
    headers: rule === null ? {} : { etag: etagOf(rule) },
  })
}

/** 409 where only a folder changes the rule; one that it has retired is nobody's. */
export function refuseForeign({ ruleId, owner, state }: Pick<Rule, 'ruleId' | 'owner' | 'state'>): void {
  if (owner.startsWith('folder:') && state !== 'retired')
    throw new HttpProblem(
      409,
      'OWNED_BY_FOLDER',
      `${ruleId} belongs to the folder ${owner.slice('folder:'.length)}: change it there, then run tocsin rules apply.`,
      { extra: { owner } },
    )
}

const PAST: Readonly<Record<RuleCommand['act'], string>> = {
  save: 'saved',
  activate: 'activated',
  apply: 'applied',
  pause: 'paused',
  resume: 'resumed',
  retire: 'retired',
}

const WHY: Readonly<Record<RuleRefusal['refused'], string>> = {
  noDraft: 'there is no draft of it. Save one first',
  notActive: 'it is not active',
  notPaused: 'it is not paused',
  alreadyThere: 'it is so already',
  ofPack: 'it belongs to the installation: it can be paused and resumed here. Save a copy under another id to change it',
}

function refusalOf({ ruleId, state }: KnownRule, act: RuleCommand['act'], { refused }: RuleRefusal): HttpProblem {
  const code = refused === 'ofPack' ? 'OWNED_BY_INSTALLATION' : 'WRONG_STATE'
  return new HttpProblem(409, code, `${ruleId} is ${state} and cannot be ${PAST[act]}: ${WHY[refused]}.`, {
    extra: { present: state, reason: refused },
  })
}

import type { Rule, RuleVersion, RuleVersionText, RuleWithText } from '@tocsin/contracts'
import type { Query } from '@tocsin/postgres'
import type { PresentRule } from '../core/folder-plan.ts'
import { type KnownRule, PACK, type RuleStep } from '../core/rule-step.ts'
import {
  ADD_RULE_VERSION,
  COUNT_ACTIVE_RULES,
  GET_RULE,
  GET_RULE_VERSION,
  LIST_PRESENT_RULES,
  LIST_RULE_VERSIONS,
  LIST_RULES,
  LOCK_RULES,
  SET_RULE,
} from '../sql/rule-sql.ts'

interface VersionRow {
  readonly version: number
  readonly act: RuleVersion['act']
  readonly title: string
  readonly hash: string
  readonly author: string
  readonly reason: string
  readonly created_at: Date
  readonly content?: string
}

interface RuleRow {
  readonly rule_id: string
  readonly organization_id: string | null
  readonly state: Rule['state']
  readonly owner: string
  readonly version: number
  readonly in_force: number | null
  readonly draft: number | null
  readonly updated_at: Date
  readonly author: string
  readonly shown_version: number
  readonly shown_author: string
  readonly title: string
  readonly act: RuleVersion['act']
  readonly hash: string
  readonly reason: string
  readonly created_at: Date
  readonly content?: string
}

/** What is in the tables under one rule id: the organization's own, and the installation's. */
export interface RulePair {
  readonly own: RuleWithText | null
  readonly pack: RuleWithText | null
}

/** Nobody else changes a rule of the organization until the transaction ends. */
export const lockRules = (query: Query, organizationId: string) => query(LOCK_RULES, [organizationId])

/** Of an organization and of the installation, each id once, in their order. */
export async function listRules(query: Query, organizationId: string): Promise<Rule[]> {
  const rows = (await query<RuleRow>(LIST_RULES, [organizationId])).map(ruleOf)
  const byId = Map.groupBy(rows, ({ ruleId }) => ruleId)
  return [...byId.values()].flatMap((found) => holding(found) ?? [])
}

export async function readRulePair(query: Query, organizationId: string, ruleId: string): Promise<RulePair> {
  const rows = (await query<RuleRow>(GET_RULE, [organizationId, ruleId])).map(
    (row): RuleWithText => ({ ...ruleOf(row), text: textOf(row) }),
  )
  return {
    own: rows.find((rule) => rule.organizationId !== null) ?? null,
    pack: rows.find((rule) => rule.organizationId === null) ?? null,
  }
}

/** The one that holds: the organization's own, unless that only stood in for a paused one of the installation and does no longer. */
export function holding<R extends Rule>(rules: readonly (R | null)[]): R | null {
  const own = rules.find((rule) => rule !== null && rule.organizationId !== null) ?? null
  const pack = rules.find((rule) => rule !== null && rule.organizationId === null) ?? null
  return own === null || (pack !== null && own.owner === PACK && own.state === 'retired') ? pack : own
}

/** Newest first. `organizationId` null: of the installation. */
export async function listVersions(query: Query, organizationId: string | null, ruleId: string): Promise<RuleVersion[]> {
  return (await query<VersionRow>(LIST_RULE_VERSIONS, [organizationId, ruleId])).map(versionOf)
}

export async function readVersion(
  query: Query,
  organizationId: string | null,
  ruleId: string,
  version: number,
): Promise<RuleVersionText | null> {
  const [row] = await query<VersionRow>(GET_RULE_VERSION, [organizationId, ruleId, version])
  return row === undefined ? null : { ...versionOf(row), content: row.content ?? '' }
}

/** Of the organization's own. */
export async function countActiveRules(query: Query, organizationId: string): Promise<number> {
  const [row] = await query<{ active: number }>(COUNT_ACTIVE_RULES, [organizationId])
  return row?.active ?? 0
}

/** The organization's own, by id. */
export async function listPresentRules(query: Query, organizationId: string): Promise<ReadonlyMap<string, PresentRule>> {
  const rows = await query<Omit<PresentRule, 'ruleId'> & { readonly rule_id: string }>(LIST_PRESENT_RULES, [organizationId])
  return new Map(rows.map(({ rule_id: ruleId, ...rest }) => [ruleId, { ruleId, ...rest }]))
}

/** `at`: RFC 3339. */
export async function writeRule(
  query: Query,
  { rule, added }: Pick<RuleStep, 'added'> & { readonly rule: Omit<KnownRule, 'organizationId'> & Pick<Rule, 'organizationId'> },
  { author, reason, at }: { readonly author: string; readonly reason: string; readonly at: string },
): Promise<void> {
  const { organizationId, ruleId, version, state, owner, inForce, draft } = rule
  if (added !== null) {
    const { title, content, hash } = added.text
    await query(ADD_RULE_VERSION, [organizationId, ruleId, added.version, added.act, title, content, hash, author, reason, at])
  }
  await query(SET_RULE, [organizationId, ruleId, version, state, owner, inForce, draft, at])
}

const ruleOf = (row: RuleRow): Rule => ({
  ruleId: row.rule_id,
  organizationId: row.organization_id,
  title: row.title,
  state: row.state,
  owner: row.owner,
  version: row.version,
  inForce: row.in_force,
  draft: row.draft,
  author: row.author,
  updatedAt: row.updated_at.toISOString(),
})

const textOf = (row: RuleRow): RuleVersionText => ({
  ...versionOf({ ...row, version: row.shown_version, author: row.shown_author }),
  content: row.content ?? '',
})

const versionOf = ({ version, act, title, hash, author, reason, created_at }: VersionRow): RuleVersion => ({
  version,
  act,
  title,
  hash,
  author,
  reason,
  createdAt: created_at.toISOString(),
})

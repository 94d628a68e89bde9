/** What an exception would have hidden of the alerts that are there, judged in a thread by their evidence. */
import type { Alert, HiddenAlerts, RuleException } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { inOrganization, type Pool } from '@tocsin/postgres'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { type AlertRow, evidenceOf } from '../repositories/alert-row.ts'
import type { RuleWorkers } from '../rule-work/rule-workers.ts'
import { RECENT_EVIDENCE } from '../sql/exception-sql.ts'

/** An alert's evidence is some 20 KB. */
const MAX_ALERTS = 500
const LIMIT_MS = 10_000
const DAY_MS = 86_400_000

export interface HidingParts {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly workers: RuleWorkers
}

export const criticalAmong = ({ hidden }: HiddenAlerts): HiddenAlerts['hidden'] =>
  hidden.filter(({ severity }) => severity === 'CRITICAL')

/** Of exceptions in new settings: those that were not there before, each with the CRITICAL alerts that it would have hidden. */
export async function criticalHiddenBy(
  parts: HidingParts,
  organizationId: string,
  {
    before,
    after,
    days,
  }: { readonly before: readonly RuleException[]; readonly after: readonly RuleException[]; readonly days: number },
): Promise<{ readonly id: string; readonly hidden: HiddenAlerts['hidden'] }[]> {
  const matcherOf = ({ ruleId, match }: RuleException) => JSON.stringify([ruleId, match])
  const known = new Set(before.map(matcherOf))
  const found: { id: string; hidden: HiddenAlerts['hidden'] }[] = []
  for (const exception of after.filter((each) => !known.has(matcherOf(each)))) {
    const { id, ruleId, match } = exception
    found.push({ id, hidden: criticalAmong(await hiddenBy(parts, organizationId, { ruleId, match, days })) })
  }
  return found
}

/** @throws HttpProblem 422 INVALID_MATCH */
export async function hiddenBy(
  { pool, cipher, workers }: HidingParts,
  organizationId: string,
  { ruleId, match, days }: { readonly ruleId: string | null; readonly match: unknown; readonly days: number },
): Promise<HiddenAlerts> {
  await cipher.load([organizationId])
  const from = new Date(Date.now() - days * DAY_MS).toISOString()
  const rows = await inOrganization(
    pool,
    organizationId,
    (query) =>
      query<AlertRow & { readonly rule: Alert['rule'] }>(RECENT_EVIDENCE, [organizationId, from, ruleId, MAX_ALERTS + 1]),
    'snapshot',
  )
  const alerts = rows.slice(0, MAX_ALERTS)
  const looked = alerts.map((row) => ({ id: row.id, group: row.group, evidence: evidenceOf(cipher, row) }))
  const found = await workers.run('hide', { match, alerts: looked }, LIMIT_MS)
  if ('refused' in found) throw new HttpProblem(422, 'INVALID_MATCH', `match${found.pointer}: ${found.refused}`)
  const hidden = new Set(found.hidden)
  return {
    lookedAt: { from, alerts: alerts.length, events: found.events, complete: rows.length <= MAX_ALERTS },
    hidden: alerts
      .filter(({ id }) => hidden.has(id))
      .map(({ id, severity, title, rule, created_at }) => ({
        id,
        severity,
        title,
        ruleId: rule.id,
        createdAt: created_at.toISOString(),
      })),
    partly: found.partly,
    unknownFields: [...found.unknownFields],
  }
}

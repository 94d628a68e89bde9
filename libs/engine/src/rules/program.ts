import type { OrganizationSettings, Severity } from '@tocsin/contracts'
import { FIRST_KEPT } from '../alerts/evidence.ts'
import type { HeldKind } from '../held/held-events.ts'
import { type DurationMs, MINUTE_MS } from '../time.ts'
import type { Requirement } from './requirement.ts'
import type { CompiledRule } from './rule.ts'
import type { Settled } from './rule-condition.ts'
import { ruleSettingsOf, termsFor } from './settings.ts'

export const DEFAULT_COOLDOWN_MS: DurationMs = 5 * MINUTE_MS
export const DEFAULT_LATENESS_MS: DurationMs = 15 * MINUTE_MS
/**
 * Snapshots a group keeps of events that are in no alert yet: an alert opens with its first 25 shown although up to
 * threshold - 1 events came before it. Enough for the built-in thresholds; see docs/detection.md, evidence.
 */
const LOOSE_KEPT_LEAST = 50
const LOOSE_KEPT_MOST = 128
/** Of events that wait for the lateness to be over, so that an alert has evidence when it opens at last. */
const LOOSE_KEPT_SETTLED = 1000

/** What has to hold of a window, and what that asks of the evidence. */
export interface Condition {
  /** Every one must hold; the first one's value is the alert's. */
  readonly requirements: readonly [Requirement, ...Requirement[]]
  readonly firstKept: number
  readonly looseKept: number
}

/** A version of a rule under the settings of one organization: what is in force there. */
export interface Program extends Condition {
  readonly rule: CompiledRule
  /** As far as this rule runs under them. */
  readonly settings: OrganizationSettings
  /** At which an alert opens. */
  readonly severity: Severity
  /** Length of the window; a night brings its own. */
  readonly spanMs: DurationMs
  readonly cooldownMs: DurationMs
  readonly latenessMs: DurationMs
  readonly kind: HeldKind
  /** Equal for two programs that behave the same in everything. */
  readonly fingerprint: string
  /** Equal for two programs whose windows mean the same: one may go on with the other's (detection.md §4). */
  readonly windowIdentity: string
}

export function bindProgram(rule: CompiledRule, settings: OrganizationSettings): Program {
  const { threshold, timeWindow } = rule.traits
  const { ruleId } = rule.record
  const own = ruleSettingsOf(settings, ruleId)
  const atLeast = (takesThreshold(rule) ? own.threshold : undefined) ?? numberOf(settings, threshold) ?? rule.atLeast
  const spanMs = own.timespanMs ?? numberOf(settings, timeWindow) ?? rule.timespanMs
  const cooldownMs =
    rule.calendar !== null ? 0 : (own.cooldownMs ?? settings.alertCooldown ?? rule.cooldownMs ?? DEFAULT_COOLDOWN_MS)
  const latenessMs = own.latenessMs ?? rule.latenessMs ?? settings.latenessMs ?? DEFAULT_LATENESS_MS
  const severity = own.severity ?? rule.severity
  const windowIdentity = JSON.stringify([rule.identity, rule.calendar === null ? spanMs : 'night'])
  return {
    rule,
    settings: termsFor(settings, own, ruleId),
    severity,
    ...conditionOf(
      [{ unit: rule.unit, atLeast, isStrict: rule.isStrict, expression: rule.expression }, ...rule.also],
      rule.settled,
    ),
    spanMs,
    cooldownMs,
    latenessMs,
    kind: {
      sums: rule.unit === 'sum',
      distinct: rule.unit === 'distinct' || rule.also.length > 0,
      parts: rule.unit === 'rules' || rule.unit === 'steps' ? rule.partNames.length : 0,
      isReal: rule.unit === 'sum' && rule.numbers === 'real',
      isSettled: rule.settled !== null,
    },
    fingerprint: JSON.stringify([rule.record.version, rule.record.hash, atLeast, spanMs, cooldownMs, latenessMs, severity]),
    windowIdentity,
  }
}

export function conditionOf(requirements: Condition['requirements'], settled: Settled | null = null): Condition {
  const { atLeast } = requirements[0]
  return {
    requirements,
    firstKept: Math.max(1, Math.min(atLeast, FIRST_KEPT)),
    looseKept: settled === null ? Math.max(LOOSE_KEPT_LEAST, Math.min(atLeast, LOOSE_KEPT_MOST)) : LOOSE_KEPT_SETTLED,
  }
}

/** Whether the condition is one number that the window's value has to reach (docs/detection.md D60). */
export const takesThreshold = ({ unit, settled }: Pick<CompiledRule, 'unit' | 'settled'>): boolean =>
  settled === null && (unit === 'events' || unit === 'sum' || unit === 'distinct')

function numberOf(settings: OrganizationSettings, name: keyof OrganizationSettings | undefined): number | null {
  const value = name === undefined ? undefined : settings[name]
  return typeof value === 'number' ? value : null
}

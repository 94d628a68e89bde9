/**
 * The final alerts of a set of events by the rules that count or sum, without any order of arrival: what detection.md §1 "Order does not matter" promises
 * of every allowed order.
 */
import type { AuditEvent, OrganizationSettings, Severity } from '@tocsin/contracts'
import { businessHours, type Interval, nightAt } from './model-nights.ts'
import { type BuiltInPattern, COUNTING_PATTERNS, isNotable, OFF_HOURS_RULE, principalOf } from './model-patterns.ts'
import { atLeast, clusters, covers, peakOf, stretches, total, windowAt } from './model-windows.ts'

const MINUTE = 60_000

export interface FinalAlert {
  readonly organizationId: string
  readonly ruleId: string
  readonly group: Record<string, string>
  readonly severity: Severity
  readonly count: number
  readonly peak: number
  readonly firstSeen: number
  readonly lastSeen: number
  readonly windowTo: number
}

interface Member {
  readonly t: number
  readonly weight: number
  readonly principal: string | undefined
  readonly sensitive: boolean
  readonly escalates: boolean
}

interface Group {
  readonly organizationId: string
  readonly pattern: BuiltInPattern
  readonly group: Record<string, string>
  readonly night: Interval | undefined
  readonly members: Map<string, Member>
}

/** Rules that are written down here. */
export const isDeclared = (ruleId: unknown): boolean => COUNTING_PATTERNS.some((pattern) => pattern.ruleId === ruleId)

export function finalAlerts(
  events: readonly AuditEvent[],
  settings: ReadonlyMap<string, OrganizationSettings>,
  day0: number,
): FinalAlert[] {
  const groups = new Map<string, Group>()
  for (const event of events) {
    const of = settings.get(event.organizationId) ?? {}
    for (const pattern of COUNTING_PATTERNS) {
      const group = pattern.group(event)
      if (group === undefined || !(pattern.counts(event) || pattern.escalates(event))) continue
      const t = Date.parse(event.timestamp)
      const night = pattern.ruleId === OFF_HOURS_RULE ? nightAt(businessHours(of, day0), t) : undefined
      if (pattern.ruleId === OFF_HOURS_RULE && night === undefined) continue
      const key = JSON.stringify([event.organizationId, pattern.ruleId, group, night ?? null])
      const entry = groups.get(key) ?? { organizationId: event.organizationId, pattern, group, night, members: new Map() }
      groups.set(key, entry)
      if (entry.members.has(event.id)) continue
      const escalates = !pattern.counts(event)
      const weight = escalates ? 0 : pattern.weight(event)
      entry.members.set(event.id, { t, weight, principal: principalOf(event), sensitive: isNotable(pattern, event), escalates })
    }
  }
  return [...groups.values()].flatMap((group) => alertsOf(group, settings.get(group.organizationId) ?? {}))
}

function alertsOf({ organizationId, pattern, group, night, members }: Group, settings: OrganizationSettings): FinalAlert[] {
  const all = [...members.values()]
  const counting = all.filter((member) => !member.escalates)
  const spanMs = night === undefined ? pattern.spanMs(settings) : night.end - night.begin
  const gapMs = spanMs + (night === undefined ? (settings.alertCooldown ?? 5 * MINUTE) : 0)
  const threshold = pattern.threshold(settings)
  const truth =
    night === undefined
      ? stretches(counting, { spanMs, holds: atLeast(threshold, pattern.principals) })
      : [{ begin: Math.min(...counting.map((member) => member.t)), end: night.end }]
  return clusters(truth, gapMs).map((stretch) => {
    const opening = stretch[0]?.begin ?? Number.NaN
    const firstSeen = Math.min(
      ...(night === undefined ? windowAt(counting, opening, spanMs) : counting).map((member) => member.t),
    )
    const lastSeen = Math.max(...counting.map((member) => member.t).filter((t) => covers(stretch, t)))
    const counted = counting.filter((member) => firstSeen <= member.t && member.t <= lastSeen)
    const peak = night === undefined ? peakOf(counting, spanMs, stretch) : total(counted)
    const escalated = all.some((member) => member.escalates && covers(stretch, member.t))
    const sensitive = counted.some((member) => member.sensitive)
    return {
      organizationId,
      ruleId: pattern.ruleId,
      group,
      severity: pattern.severity({ peak, threshold, escalated, sensitive }),
      count: counted.length,
      peak,
      firstSeen,
      lastSeen,
      windowTo: night?.end ?? opening,
    }
  })
}

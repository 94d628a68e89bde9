import type { AuditEvent, ControlRecord, Severity } from '@tocsin/contracts'
import type { Interval } from './model-nights.ts'
import type { ModelPattern } from './model-patterns.ts'

export type ModelRecord =
  | { readonly kind: 'event'; readonly appendTime: number; readonly event: AuditEvent }
  | { readonly kind: 'control'; readonly appendTime: number; readonly control: ControlRecord }
  | { readonly kind: 'tick' | 'other'; readonly appendTime: number }

export interface ModelFigures {
  readonly severity: Severity
  readonly count: number
  readonly total: number
  readonly peak: number
  readonly firstSeen: number
  readonly lastSeen: number
  readonly windowFrom: number
  readonly windowTo: number
  readonly windowValue: number
  readonly spanMs: number
  readonly threshold: number
  readonly backfilled: boolean
  readonly metadata: Record<string, unknown>
  /** Ids by (t, id): the first min(threshold, 25) and the newest 25 of the counted. */
  readonly evidence: readonly string[]
}

export interface ModelAlert {
  /** What the id is made of. */
  readonly identity: readonly [organizationId: string, ruleId: string, group: Record<string, string>, eventId: string, t: number]
  readonly pattern: ModelPattern
  readonly createdAt: number
  readonly ruleVersion: number
  revision: number
  open: boolean
  mergedInto: ModelAlert | undefined
  figures: ModelFigures
}

export interface ModelChange {
  readonly type: 'alert.created' | 'alert.revised' | 'alert.closed'
  readonly alert: ModelAlert
  readonly revision: number
  readonly figures: ModelFigures
  readonly updatedAt: number
}

export interface HeldEvent {
  readonly id: string
  readonly t: number
  arrival: number
  readonly weight: number
  readonly principal: string | undefined
  /** Names of the correlation's rules that it matches in this group. */
  readonly parts: readonly string[]
  readonly late: boolean
  readonly event: AuditEvent
  /** Weight 0: only escalates. */
  readonly escalates: boolean
}

/** An event time at which a settled condition was decided true (D43). */
export interface Moment {
  readonly t: number
  readonly value: number
  readonly firstSeen: number
}

export interface Episode extends ModelAlert {
  truth: Interval[]
  /** Of a settled condition; otherwise empty. */
  moments: readonly Moment[]
  counted: Set<HeldEvent>
  /** F: when the last stretch ended; capped when log time is set back, as all deadlines are. */
  trueUntil: number
  escalated: boolean
  /** Events were refused for want of room. */
  lowerBound: boolean
  lastRevisionAt: number
  /** Log time of the record that counted an event last. */
  countedAt: number
  published: ModelFigures
}

/** What settings say of a rule; a group with an open alert keeps what the alert was opened with. */
export interface Terms {
  readonly pattern: ModelPattern
  readonly ruleVersion: number
  readonly spanMs: number
  readonly gapMs: number
  readonly latenessMs: number
  readonly retentionMs: number
  readonly threshold: number
  /** Instead of the rule's level. */
  readonly severity: Severity | undefined
}

export interface Group {
  readonly ruleId: string
  readonly organizationId: string
  readonly group: Record<string, string>
  readonly night: Interval | undefined
  terms: Terms
  held: HeldEvent[]
  /** Time of the newest event that a full group dropped: what is at or below it is refused. */
  floor: number | undefined
  /** Event times at which a settled condition was decided, while an event of that time is held. */
  decided: Set<number>
  /** Open ones, in order of creation. */
  episodes: Episode[]
}

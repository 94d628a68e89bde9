import type { AuditEvent } from '@tocsin/contracts'
import { type EventFields, fieldReader } from '@tocsin/sigma'
import { shapeOf } from './event-shape.ts'
import type { Organization } from './organization.ts'
import type { Program } from './program.ts'
import type { RuleInstance } from './rule-instance.ts'
import type { EpochMs } from './time.ts'

/** How one version of a rule regards an event. */
export interface Match {
  readonly instance: RuleInstance
  readonly program: Program
  /** Of the second selection: weight 0. */
  readonly isMark: boolean
  readonly isNotable: boolean
}

/** An event and the versions of rules that regard it: those in force, and those that open alerts still hold to. */
export interface MatchedEvent {
  readonly event: AuditEvent
  readonly stamp: EpochMs
  readonly fields: EventFields
  readonly matches: readonly Match[]
}

/** @throws RangeError when the event's timestamp is none */
export function stampOf(event: AuditEvent): EpochMs {
  const stamp = Date.parse(event.timestamp)
  if (Number.isNaN(stamp)) throw new RangeError(`timestamp of event ${event.id} is not a time`)
  return stamp
}

export function matchEvent(event: AuditEvent, stamp: EpochMs, organization: Organization): MatchedEvent {
  const fields = fieldReader(event)
  const shape = shapeOf(event)
  const matches: Match[] = []
  for (const instance of organization.rules.values()) {
    const { current } = instance
    if (current !== null && may(current, shape)) addMatch(matches, instance, current, event, fields)
    if (!instance.hasPinned) continue
    for (const program of instance.pinnedPrograms()) {
      if (may(program, shape)) addMatch(matches, instance, program, event, fields)
    }
  }
  return { event, stamp, fields, matches }
}

/** A shape that is none (an event that breaks the contract) rules nothing out. */
const may = ({ rule }: Program, shape: number): boolean => rule.shapes[shape] !== 0

function addMatch(matches: Match[], instance: RuleInstance, program: Program, event: AuditEvent, fields: EventFields): void {
  const { rule } = program
  if (rule.counts(event, fields)) {
    matches.push({ instance, program, isMark: false, isNotable: rule.notable?.(event, fields) ?? false })
  } else if (rule.escalates?.(event, fields) === true) {
    matches.push({ instance, program, isMark: true, isNotable: false })
  }
}

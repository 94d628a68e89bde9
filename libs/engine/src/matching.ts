import type { EventView } from './event-view.ts'
import type { Organization } from './organization.ts'
import type { Program } from './program.ts'
import type { RuleInstance } from './rule-instance.ts'
import type { EpochMs } from './time.ts'

const NO_HITS: readonly string[] = []

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
  readonly event: EventView
  readonly matches: readonly Match[]
  /** Exceptions that keep the event out of a rule, once for each rule. */
  readonly exceptionHits: readonly string[]
}

/** @param logTime at which the event takes effect */
export function matchEvent(event: EventView, organization: Organization, logTime: EpochMs): MatchedEvent {
  const { shape } = event
  const matches: Match[] = []
  for (const instance of organization.rules.values()) {
    const { current } = instance
    if (current !== null && may(current, shape)) addMatch(matches, instance, current, event)
    if (!instance.hasPinned) continue
    for (const program of instance.pinnedPrograms()) {
      if (may(program, shape)) addMatch(matches, instance, program, event)
    }
  }
  const { exceptions } = organization
  if (exceptions === null || matches.length === 0) return { event, matches, exceptionHits: NO_HITS }
  const sifted = exceptions.sift(matches, event.fields, logTime)
  return { event, matches: sifted.matches, exceptionHits: sifted.hits }
}

/** A shape that is none (an event that breaks the contract) rules nothing out. */
const may = ({ rule }: Program, shape: number): boolean => rule.shapes[shape] !== 0

function addMatch(matches: Match[], instance: RuleInstance, program: Program, event: EventView): void {
  const { rule } = program
  if (rule.counts(event)) {
    matches.push({ instance, program, isMark: false, isNotable: rule.notable?.(event) ?? false })
  } else if (rule.escalates?.(event) === true) {
    matches.push({ instance, program, isMark: true, isNotable: false })
  }
}

import type { EventView } from './event-view.ts'
import type { Organization } from './organization.ts'
import type { Program } from './program.ts'
import type { RuleInstance } from './rule-instance.ts'

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
}

export function matchEvent(event: EventView, organization: Organization): MatchedEvent {
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
  return { event, matches }
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

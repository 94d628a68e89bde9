import type { EventView } from '../event/event-view.ts'
import type { Organization } from '../organization.ts'
import type { RuleInstance } from '../rule-instance.ts'
import type { Program } from '../rules/program.ts'
import type { EpochMs } from '../time.ts'
import { type Candidate, candidateOf } from './rules-in-force.ts'
import { VERDICTS } from './shape-verdicts.ts'

const NO_HITS: readonly string[] = []

/** How one version of a rule regards an event. */
export interface Match {
  readonly instance: RuleInstance
  readonly program: Program
  /** Of the second selection: weight 0. */
  readonly isMark: boolean
  readonly isNotable: boolean
  /** Which of the rules that it counts the event matches, a bit each; 0 where that does not matter. */
  readonly parts: number
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
  const matches: Match[] = []
  for (const candidate of organization.rulesInForce.candidates(event)) {
    const isMark = regards(candidate, event)
    if (isMark === null) continue
    const instance = organization.rule(candidate.rule.record.ruleId)
    if (instance.current !== null) matches.push(matchOf(instance, instance.current, isMark, event))
  }
  if (organization.pinned.size > 0) addPinned(organization, event, matches)
  const { exceptions } = organization
  if (exceptions === null || matches.length === 0) return { event, matches, exceptionHits: NO_HITS }
  const sifted = exceptions.sift(matches, event.fields, logTime)
  return { event, matches: sifted.matches, exceptionHits: sifted.hits }
}

function addPinned({ pinned }: Organization, event: EventView, matches: Match[]): void {
  for (const instance of pinned) {
    for (const program of instance.pinnedPrograms()) {
      const isMark = regards(candidateOf(program.rule, event.shape), event)
      if (isMark !== null) matches.push(matchOf(instance, program, isMark, event))
    }
  }
}

const matchOf = (instance: RuleInstance, program: Program, isMark: boolean, event: EventView): Match => ({
  instance,
  program,
  isMark,
  isNotable: !isMark && program.rule.notable?.(event) === true,
  parts: isMark ? 0 : (program.rule.parts?.(event) ?? 0),
})

/** Whether the event is a mark for the rule (true) or counts (false); null where it is neither. */
function regards({ rule, counts, escalates }: Candidate, event: EventView): boolean | null {
  if (counts === VERDICTS.yes || (counts === VERDICTS.ask && rule.counts(event))) return false
  return escalates === VERDICTS.yes || (escalates === VERDICTS.ask && rule.escalates?.(event) === true) ? true : null
}

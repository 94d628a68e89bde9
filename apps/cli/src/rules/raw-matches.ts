import type { RuleSet } from '@tocsin/engine'
import { type EventFields, plainReader, RuleIndex } from '@tocsin/sigma'

/** Where producers write the identity of an event. */
const ID_FIELDS = ['id', 'eventID', 'auditID', 'event_id', 'eventId'] as const

/** Tests events, as they are, against every detection of a set. */
export class RawMatcher {
  readonly #ruleIds: readonly string[]
  readonly #index: RuleIndex<{ readonly number: number; readonly matches: (event: EventFields) => boolean }>

  constructor({ detections }: Pick<RuleSet, 'detections'>) {
    this.#ruleIds = detections.map(({ ruleId }) => ruleId)
    this.#index = new RuleIndex(
      detections.map(({ document }, number) => [document.exact, { number, matches: document.matches }] as const),
    )
  }

  /** Ids of the rules that match, in order of the set. */
  matches(event: unknown): readonly string[] {
    const fields = plainReader(event)
    const found: number[] = []
    for (const { number, matches } of this.#index.candidates(fields)) if (matches(fields)) found.push(number)
    if (found.length > 1) found.sort((a, b) => a - b)
    return found.map((number) => this.#ruleIds[number] as string)
  }
}

/** The identity that the event brings, null where it brings none. */
export function eventIdOf(event: unknown): string | null {
  if (typeof event !== 'object' || event === null) return null
  for (const field of ID_FIELDS) {
    const value = Object.hasOwn(event, field) ? (event as Record<string, unknown>)[field] : undefined
    if (typeof value === 'string' || typeof value === 'number') return String(value)
  }
  return null
}

import { type EventView, logsourceTest } from '@tocsin/engine'
import { type EventFields, plainReader, RuleIndex, type SigmaDocument } from '@tocsin/sigma'

interface Detection {
  readonly number: number
  readonly ruleId: string
  readonly matches: (event: EventFields) => boolean
  readonly isOfSource: (event: EventView) => boolean
}

/** Tests events against every detection of a set. */
export class Matcher {
  /** Number of detections. */
  readonly size: number
  readonly #index: RuleIndex<Detection>

  /** @param documents by rule id; correlations among them are left out */
  constructor(documents: ReadonlyMap<string, SigmaDocument>) {
    const detections = [...documents].flatMap(([ruleId, document], number) => {
      if (document.kind !== 'detection') return []
      const { matches, logsource } = document
      return [[document, { number, ruleId, matches, isOfSource: logsourceTest(logsource) }] as const]
    })
    this.size = detections.length
    this.#index = new RuleIndex(detections)
  }

  /** Ids of the rules that match an event as it is, in order of the set. */
  raw(item: object): readonly string[] {
    return this.#found(plainReader(item), null)
  }

  /** The same of an audit event, whose source must be the rule's. */
  event(event: EventView): readonly string[] {
    return this.#found(event.fields, event)
  }

  #found(fields: EventFields, event: EventView | null): readonly string[] {
    const found: Detection[] = []
    for (const each of this.#index.candidates(fields))
      if ((event === null || each.isOfSource(event)) && each.matches(fields)) found.push(each)
    if (found.length > 1) found.sort((a, b) => a.number - b.number)
    return found.map(({ ruleId }) => ruleId)
  }
}

import { type EventNeeds, either, inAll, RuleIndex, type TextsByField } from '@tocsin/sigma'
import type { EventView } from '../event/event-view.ts'
import { sourceOf } from '../rules/logsource.ts'
import type { CompiledRule } from '../rules/rule.ts'
import { VERDICTS, type Verdict } from './shape-verdicts.ts'

/** A rule that may regard an event, and what the event's shape says of it. */
export interface Candidate {
  readonly rule: CompiledRule
  readonly counts: Verdict
  readonly escalates: Verdict
}

/** A rule by what its detections need of an event beside its shape. */
interface Needs extends EventNeeds {
  readonly rule: CompiledRule
  /** Null: an event of any format may be regarded. */
  readonly formats: ReadonlySet<string> | null
}

interface OfShape {
  readonly always: RuleIndex<Candidate>
  readonly formats: ReadonlyMap<string, RuleIndex<Candidate>>
}

/**
 * The rules in force together, found by what an event is: first by its shape, then by its source format, then by exact values. An event
 * costs as much as the rules that may regard it, not as those there are.
 */
export class RulesInForce {
  readonly #needs: readonly Needs[]
  readonly #byShape = new Map<number, OfShape>()

  constructor(rules: readonly CompiledRule[]) {
    this.#needs = rules.map(needsOf)
  }

  /** Every rule that may regard the event, each once. */
  candidates(event: EventView): readonly Candidate[] {
    const { always, formats } = this.#of(event.shape)
    const found = always.candidates(event.fields)
    const ofFormat = formats.size === 0 ? undefined : formats.get(event.text('format') ?? '')
    return ofFormat === undefined ? found : [...found, ...ofFormat.candidates(event.fields)]
  }

  /** Made when an event first has the shape. */
  #of(shape: number): OfShape {
    const known = this.#byShape.get(shape)
    if (known !== undefined) return known
    const mays = this.#needs.flatMap((needs) => {
      const candidate = candidateOf(needs.rule, shape)
      return candidate.counts === VERDICTS.no && candidate.escalates === VERDICTS.no ? [] : [[needs, candidate] as const]
    })
    const names = new Set(mays.flatMap(([{ formats }]) => [...(formats ?? [])]))
    const made = {
      always: new RuleIndex(mays.filter(([{ formats }]) => formats === null)),
      formats: new Map([...names].map((name) => [name, new RuleIndex(mays.filter(([{ formats }]) => formats?.has(name)))])),
    }
    this.#byShape.set(shape, made)
    return made
  }
}

export const candidateOf = (rule: CompiledRule, shape: number): Candidate => ({
  rule,
  counts: rule.countsBy.of(shape),
  escalates: rule.escalatesBy.of(shape),
})

/** The shape knows the three words better. */
const WORDS: ReadonlySet<string> = new Set(['category', 'operation', 'outcome'])

const withoutWords = (texts: TextsByField): TextsByField => new Map([...texts].filter(([field]) => !WORDS.has(field)))

function needsOf(rule: CompiledRule): Needs {
  const formats = rule.detections.flatMap(({ logsource }) => {
    const source = sourceOf(logsource)
    return source === null ? [] : [source.format]
  })
  const named = formats.filter((format) => format !== null)
  return {
    rule,
    formats: named.length === formats.length ? new Set(named) : null,
    exact: withoutWords(either(rule.detections.map(({ exact }) => exact))),
    contained: withoutWords(either(rule.detections.map(({ contained }) => contained))),
    present: new Set([...inAll(rule.detections.map(({ present }) => present))].filter((field) => !WORDS.has(field))),
  }
}

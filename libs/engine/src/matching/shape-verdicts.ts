import type { SigmaDetection } from '@tocsin/sigma'
import { SHAPES, wordsOf } from '../event/event-shape.ts'
import { sourceOf } from '../rules/logsource.ts'

/** What the shape of an event says of it: it is none of the rule's, it is one, or the event has to be looked at. */
export const VERDICTS = { no: 1, yes: 2, ask: 3 } as const
export type Verdict = (typeof VERDICTS)[keyof typeof VERDICTS]

/** What the shape of an event says about any of some detections. Worked out when a shape is asked for the first time. */
export class ShapeVerdicts {
  readonly #detections: readonly SigmaDetection[]
  readonly #known = new Uint8Array(SHAPES)

  constructor(detections: readonly SigmaDetection[]) {
    this.#detections = detections
  }

  /** A shape that is none (an event that breaks the contract) decides nothing. */
  of(shape: number): Verdict {
    const known = this.#known[shape] as Verdict | 0 | undefined
    if (known === undefined) return VERDICTS.ask
    return known === 0 ? this.#workOut(shape) : known
  }

  /** By itself, because a function that makes another one allocates for it at each call. */
  #workOut(shape: number): Verdict {
    const verdicts = this.#detections.map((detection) => verdictOf(detection, shape))
    const verdict = verdicts.includes(VERDICTS.yes) ? VERDICTS.yes : verdicts.includes(VERDICTS.ask) ? VERDICTS.ask : VERDICTS.no
    this.#known[shape] = verdict
    return verdict
  }
}

/** Runs the detection on the three words alone; where it reads anything else, they do not decide. */
function verdictOf({ logsource, exact, matches }: SigmaDetection, shape: number): Verdict {
  const source = sourceOf(logsource)
  const words: Readonly<Record<string, string>> | undefined = wordsOf(shape)
  if (source === null || words === undefined) return VERDICTS.no
  if (source.category !== null && source.category !== words['category']) return VERDICTS.no
  let asked = false
  const holds = matches((field) => {
    if (Object.hasOwn(words, field)) return words[field]
    asked = true
    return undefined
  })
  if (!asked) return !holds ? VERDICTS.no : source.format === null ? VERDICTS.yes : VERDICTS.ask
  return Object.entries(words).every(([field, word]) => allows(exact.get(field), word)) ? VERDICTS.ask : VERDICTS.no
}

/** The language gives necessary texts in lower case; nothing known allows everything. */
const allows = (texts: ReadonlySet<string> | undefined, value: string): boolean =>
  texts === undefined || texts.has(value.toLowerCase())

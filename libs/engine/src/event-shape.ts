import { type AuditEvent, CATEGORIES, OPERATIONS, OUTCOMES } from '@tocsin/contracts'
import type { SigmaDetection } from '@tocsin/sigma'

/**
 * The shape of an event is its category, operation and outcome as one number. What a rule needs of these three is worked out
 * for all shapes when it is compiled, so that a rule which cannot match an event costs one look into a table.
 */
export const SHAPES = CATEGORIES.length * OPERATIONS.length * OUTCOMES.length

const placesOf = (values: readonly string[], step: number): ReadonlyMap<string, number> =>
  new Map(values.map((value, index) => [value, index * step]))

const OUTCOME_PLACES = placesOf(OUTCOMES, 1)
const OPERATION_PLACES = placesOf(OPERATIONS, OUTCOMES.length)
const CATEGORY_PLACES = placesOf(CATEGORIES, OUTCOMES.length * OPERATIONS.length)

export const shapeOf = ({ category, operation, outcome }: AuditEvent): number =>
  (CATEGORY_PLACES.get(category) as number) +
  (OPERATION_PLACES.get(operation) as number) +
  (OUTCOME_PLACES.get(outcome) as number)

/** Undefined for a shape that is none. */
export const categoryOf = (shape: number): string | undefined =>
  CATEGORIES[Math.floor(shape / (OUTCOMES.length * OPERATIONS.length))]

/** 1 for every shape whose events one of the detections may match. */
export function shapesOf(detections: readonly SigmaDetection[]): Uint8Array {
  const shapes = new Uint8Array(SHAPES)
  for (const [category, inCategory] of CATEGORY_PLACES) {
    for (const [operation, inOperation] of OPERATION_PLACES) {
      for (const [outcome, inOutcome] of OUTCOME_PLACES) {
        const may = detections.some(
          ({ exact, logsource }) =>
            (logsource.category === undefined || logsource.category === category) &&
            allows(exact.get('category'), category) &&
            allows(exact.get('operation'), operation) &&
            allows(exact.get('outcome'), outcome),
        )
        shapes[inCategory + inOperation + inOutcome] = may ? 1 : 0
      }
    }
  }
  return shapes
}

/** The language gives necessary texts in lower case; nothing known allows everything. */
const allows = (texts: ReadonlySet<string> | undefined, value: string): boolean =>
  texts === undefined || texts.has(value.toLowerCase())

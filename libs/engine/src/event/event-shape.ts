import { type AuditEvent, CATEGORIES, OPERATIONS, OUTCOMES } from '@tocsin/contracts'

/**
 * The shape of an event is its category, operation and outcome as one number. What a rule makes of these three is worked out once
 * for each shape (shape-verdicts.ts).
 */
export type ShapeWords = Pick<AuditEvent, 'category' | 'operation' | 'outcome'>

export const SHAPES = CATEGORIES.length * OPERATIONS.length * OUTCOMES.length

const placesOf = (values: readonly string[], step: number): ReadonlyMap<string, number> =>
  new Map(values.map((value, index) => [value, index * step]))

const OUTCOME_PLACES = placesOf(OUTCOMES, 1)
const OPERATION_PLACES = placesOf(OPERATIONS, OUTCOMES.length)
const CATEGORY_PLACES = placesOf(CATEGORIES, OUTCOMES.length * OPERATIONS.length)

export const shapeOf = ({ category, operation, outcome }: ShapeWords): number =>
  (CATEGORY_PLACES.get(category) as number) +
  (OPERATION_PLACES.get(operation) as number) +
  (OUTCOME_PLACES.get(outcome) as number)

/** The three words of a shape; undefined for a shape that is none. */
export function wordsOf(shape: number): ShapeWords | undefined {
  const category = CATEGORIES[Math.floor(shape / (OUTCOMES.length * OPERATIONS.length))]
  const operation = OPERATIONS[Math.floor(shape / OUTCOMES.length) % OPERATIONS.length]
  const outcome = OUTCOMES[shape % OUTCOMES.length]
  return category === undefined || operation === undefined || outcome === undefined ? undefined : { category, operation, outcome }
}

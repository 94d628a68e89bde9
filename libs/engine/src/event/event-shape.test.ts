import { CATEGORIES, OPERATIONS, OUTCOMES } from '@tocsin/contracts'
import { describe, expect, it } from 'vitest'
import { anEvent } from '../test-stream.ts'
import { SHAPES, shapeOf, wordsOf } from './event-shape.ts'

const everyWords = CATEGORIES.flatMap((category) =>
  OPERATIONS.flatMap((operation) => OUTCOMES.map((outcome) => ({ category, operation, outcome }))),
)

describe('the shape of an event', () => {
  it('is another one for every category, operation and outcome', () => {
    expect(everyWords.map(shapeOf).toSorted((a, b) => a - b)).toEqual(Array.from({ length: SHAPES }, (_, shape) => shape))
  })

  it('tells its words', () => {
    expect(everyWords.map((words) => wordsOf(shapeOf(words)))).toEqual(everyWords)
    expect(wordsOf(shapeOf(anEvent({ category: 'none' as 'other' })))).toBeUndefined()
  })
})

import { readdirSync, readFileSync } from 'node:fs'
import { CATEGORIES, OPERATIONS, OUTCOMES } from '@tocsin/contracts'
import { describe, expect, it } from 'vitest'
import { SHAPES, shapeOf } from './event-shape.ts'
import { parsedEvent } from './parsed-event.ts'
import { compileRule } from './rule.ts'
import { anEvent, ruleRecord } from './test-stream.ts'

const RULES = new URL('../../../rules/', import.meta.url)
const everyShape = CATEGORIES.flatMap((category) =>
  OPERATIONS.flatMap((operation) => OUTCOMES.map((outcome) => anEvent({ category, operation, outcome, recordCount: 99 }))),
)

/** For every shape, whether the table lets the rule look at it and whether the rule regards it. */
function lookAt(content: string): { let: boolean; regards: boolean }[] {
  const rule = compileRule(ruleRecord('test.rule', content))
  return everyShape.map((event) => {
    const view = parsedEvent(event)
    return {
      let: rule.shapes[view.shape] === 1,
      regards: rule.counts(view) || rule.escalates?.(view) === true,
    }
  })
}

describe('the shape of an event', () => {
  it('is another one for every category, operation and outcome', () => {
    expect(everyShape.map(shapeOf).toSorted((a, b) => a - b)).toEqual(Array.from({ length: SHAPES }, (_, shape) => shape))
  })

  it.each(readdirSync(RULES).filter((name) => name.endsWith('.yml')))('keeps no event from %s that it regards', (name) => {
    const looks = lookAt(readFileSync(new URL(name, RULES), 'utf8'))
    expect(looks.filter((look) => look.regards && !look.let)).toEqual([])
    expect(looks.some((look) => look.regards)).toBe(true)
  })

  it('spares a rule the events of other shapes', () => {
    const looks = lookAt(readFileSync(new URL('data-velocity.yml', RULES), 'utf8'))
    expect(looks.filter((look) => look.let)).toHaveLength(1)
  })

  it('rules nothing out for a rule that asks for other things, whatever the case of what it asks', () => {
    const rule = (detection: string) =>
      `title: x\nlevel: high\nlogsource: { product: tocsin }\ndetection:\n  s: ${detection}\n  condition: s\n`
    expect(lookAt(rule('{ action: app.something }')).every((look) => look.let && look.regards)).toBe(true)
    expect(lookAt(rule("{ category: 'DATA' }")).filter((look) => look.let && look.regards)).toHaveLength(
      SHAPES / CATEGORIES.length,
    )
    expect(lookAt(rule("{ category: 'd*' }")).every((look) => look.let)).toBe(true)
  })

  it('rules nothing out for an event that breaks the contract', () => {
    const { shapes } = compileRule(ruleRecord('test.rule', readFileSync(new URL('data-velocity.yml', RULES), 'utf8')))
    expect(shapes[shapeOf(anEvent({ category: 'none' as 'other' }))]).not.toBe(0)
  })
})

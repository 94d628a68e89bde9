import { readdirSync, readFileSync } from 'node:fs'
import { type AuditEvent, CATEGORIES, OPERATIONS, OUTCOMES } from '@tocsin/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SHAPES } from '../event/event-shape.ts'
import { parsedEvent } from '../event/parsed-event.ts'
import { type CompiledRule, compileRule } from '../rules/rule.ts'
import { anEvent, ruleRecord } from '../test-stream.ts'
import { RulesInForce } from './rules-in-force.ts'
import { VERDICTS } from './shape-verdicts.ts'

const RULES = new URL('../../../../rules/', import.meta.url)
const PACK = readdirSync(RULES)
  .filter((name) => name.endsWith('.yml'))
  .map((name) => compileRule(ruleRecord(name, readFileSync(new URL(name, RULES), 'utf8'))))
const everyShape = CATEGORIES.flatMap((category) =>
  OPERATIONS.flatMap((operation) => OUTCOMES.map((outcome) => anEvent({ category, operation, outcome, recordCount: 99 }))),
)

const ruleOf = (detection: string, logsource = '{ product: tocsin }', id = 'test.rule'): CompiledRule =>
  compileRule(ruleRecord(id, `title: x\nlevel: high\nlogsource: ${logsource}\ndetection:\n${detection}\n`))

const selecting = (selection: string): CompiledRule => ruleOf(`  s: ${selection}\n  condition: s`)

const candidates = (rules: RulesInForce, event: AuditEvent): readonly CompiledRule[] =>
  rules.candidates(parsedEvent(event)).map(({ rule }) => rule)

function regards(rule: CompiledRule, event: AuditEvent): boolean {
  const view = parsedEvent(event)
  return rule.counts(view) || rule.escalates?.(view) === true
}

/** For events of every shape, how many the set lets the rule look at and how many the rule regards. */
function counted(rule: CompiledRule): { let: number; regarded: number; missed: number } {
  const rules = new RulesInForce([rule])
  const looks = everyShape.map((event) => ({ let: candidates(rules, event).length > 0, regarded: regards(rule, event) }))
  return {
    let: looks.filter((look) => look.let).length,
    regarded: looks.filter((look) => look.regarded).length,
    missed: looks.filter((look) => look.regarded && !look.let).length,
  }
}

describe('the rules in force', () => {
  it('keeps from the built-in rules no event that they regard, and decides by its shape only what is so', () => {
    for (const rule of PACK) {
      expect(counted(rule)).toMatchObject({ missed: 0 })
      for (const event of everyShape) {
        const view = parsedEvent(event)
        const verdict = rule.countsBy.of(view.shape)
        if (verdict !== VERDICTS.ask) expect(rule.counts(view)).toBe(verdict === VERDICTS.yes)
      }
    }
  })

  it('spares a rule the events of other shapes, whatever the words by which it names them', () => {
    expect(counted(selecting('{ category: data, operation: read, outcome: success }'))).toMatchObject({ let: 1, regarded: 1 })
    expect(counted(selecting("{ category: 'DATA' }"))).toMatchObject({
      let: SHAPES / CATEGORIES.length,
      regarded: SHAPES / CATEGORIES.length,
    })
    expect(counted(selecting("{ category: 'd*' }"))).toMatchObject({ let: SHAPES / CATEGORIES.length, missed: 0 })
    expect(counted(ruleOf('  s: { category: data }\n  condition: not s'))).toMatchObject({
      let: SHAPES - SHAPES / CATEGORIES.length,
      missed: 0,
    })
    expect(counted(selecting('{ action: app.something }'))).toMatchObject({ let: SHAPES, regarded: SHAPES })
    expect(counted(ruleOf('  s: { category: data }\n  condition: s', '{ category: authentication }'))).toMatchObject({ let: 0 })
  })

  it('lets every rule look at an event that breaks the contract', () => {
    const present = { processingLatency: 1, queueDepth: 1, gdprContext: {} }
    const event = anEvent({
      category: 'none' as 'other',
      action: 'cloudtrail:StopLogging',
      dataClassification: 'PHI',
      ...present,
    })
    expect(candidates(new RulesInForce(PACK), event)).toHaveLength(PACK.length)
  })

  it('looks at the rules that name what an event has, and at none of a thousand that name something else', () => {
    const others = Array.from({ length: 1000 }, (_, index) =>
      ruleOf(
        `  s: { eventName: Other${index}, eventSource: s3.amazonaws.com }\n  condition: s`,
        '{ product: aws }',
        `other.${index}`,
      ),
    )
    const mine = ruleOf('  s: { eventName: [GetObject, PutObject] }\n  condition: s', '{ product: aws }', 'mine')
    const rules = new RulesInForce([...others, mine])
    const event = (eventName: unknown, format = 'cloudtrail') =>
      anEvent({ source: { format, name: 'test' }, raw: { eventName, eventSource: 's3.amazonaws.com' } })
    expect(candidates(rules, event('GETobject'))).toEqual([mine])
    expect(candidates(rules, event(['None', ['GetObject', 'PutObject']]))).toEqual([mine])
    expect(candidates(rules, event('GetObject', 'tocsin'))).toEqual([])
    expect(candidates(rules, event(undefined))).toEqual([])
    expect(candidates(rules, event(null))).toEqual([])
  })

  it('never misses a rule that regards an event, nor names one twice', () => {
    const word = fc.constantFrom('a', 'b', 'C', '7', '*x', "''")
    const item = fc
      .tuple(
        fc.constantFrom(
          'action',
          'eventName',
          'user.name',
          'category',
          'outcome',
          'principalId',
          'action|cased',
          'eventName|contains',
          'eventName|neq',
        ),
        fc.array(fc.oneof(word, fc.constantFrom('data', 'denied')), { minLength: 1, maxLength: 3 }),
      )
      .map(([field, values]) => `'${field}': [${values.map((value) => (value === "''" ? value : `'${value}'`)).join(', ')}]`)
    const selection = fc
      .uniqueArray(item, { minLength: 1, maxLength: 3, selector: (text) => text.split(':')[0] })
      .map((items) => `{ ${items.join(', ')} }`)
    const rule = fc
      .record({
        one: selection,
        two: selection,
        condition: fc.constantFrom('one', 'one and two', 'one or two', 'one and not two', 'not one', '1 of them'),
        logsource: fc.constantFrom('{ product: tocsin }', '{ product: aws }', '{ category: data }', '{ product: nothing }'),
      })
      .map(({ one, two, condition, logsource }) => ruleOf(`  one: ${one}\n  two: ${two}\n  condition: ${condition}`, logsource))
    const value = fc.oneof(fc.constantFrom<unknown>('a', 'B', 'c', 7, null, 'zx', ''), fc.constant<unknown>(['a', ['b', 7]]))
    const event = fc
      .record({
        category: fc.constantFrom('data' as const, 'other' as const),
        outcome: fc.constantFrom('success' as const, 'denied' as const),
        action: fc.constantFrom('a', 'B', 'zx'),
        format: fc.constantFrom('tocsin', 'cloudtrail'),
        eventName: value,
        name: value,
      })
      .map(({ format, eventName, name, ...rest }) =>
        anEvent({ ...rest, source: { format, name: 'test' }, raw: { eventName, user: { name } } }),
      )
    fc.assert(
      fc.property(
        fc.array(rule, { minLength: 1, maxLength: 6 }),
        fc.array(event, { minLength: 1, maxLength: 10 }),
        (rules, events) => {
          const set = new RulesInForce(rules)
          for (const each of events) {
            const found = candidates(set, each)
            expect(new Set(found).size).toBe(found.length)
            for (const rule of rules) if (regards(rule, each)) expect(found).toContain(rule)
          }
        },
      ),
      { numRuns: 150 },
    )
  })
})

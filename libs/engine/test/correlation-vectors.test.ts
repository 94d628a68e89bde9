/** The model of correlations held against cases worked out by hand, and the engine against the model. */
import { describe, expect, it } from 'vitest'
import { type Correlation, patternOf, recordOf } from './correlation-rules.ts'
import { expectAgreement, runModel } from './harness.ts'
import type { ModelRecord } from './model-types.ts'
import { makeEvent } from './streams.ts'

const ZERO = Date.parse('2026-07-01T12:00:00Z')
const RULE_ID = 'test.vector'
const SECOND = 1000

interface Happening {
  /** Seconds. */
  readonly t: number
  /** Each letter is a rule's name; none: an event that no rule is about. */
  readonly rules: string
  /** Arrival in seconds; else `t`. */
  readonly at?: number
  readonly amount?: number
  readonly target?: string
}

const correlation = (changes: Partial<Correlation>): Correlation => ({
  type: 'temporal',
  parts: ['a', 'b', 'c'].map((name) => ({
    name,
    actions: ['a', 'b', 'c', 'ab', 'abc'].filter((action) => action.includes(name)),
  })),
  groupBy: ['principalId'],
  aliases: {},
  spanS: 60,
  cooldownS: 0,
  latenessS: 30,
  condition: null,
  fields: [],
  default: null,
  ...changes,
})

/** `[count, firstSeen, lastSeen, value, createdAt]` of every alert that was joined with none, at its end, in seconds. */
function alertsOf(rule: Correlation, happenings: readonly Happening[]): number[][] {
  const records = happenings.map(({ t, rules, at = t, amount, target }, i): ModelRecord => {
    const details = amount === undefined ? {} : { details: { amount } }
    const what = { category: 'other', operation: 'other', outcome: 'success', action: rules, principalId: 'u1' } as const
    const event = makeEvent({
      id: `e${i}`,
      t: ZERO + t * SECOND,
      ...what,
      ...details,
      ...(target === undefined ? {} : { targetResourceId: target }),
    })
    return { kind: 'event', appendTime: ZERO + at * SECOND, event }
  })
  const last = Math.max(...records.map(({ appendTime }) => appendTime))
  const ticks = [1, 2].map((days): ModelRecord => ({ kind: 'tick', appendTime: last + days * 86_400_000 }))
  const stream = {
    day0: Date.parse('2026-07-01T00:00:00Z'),
    settings: new Map(),
    rules: [{ record: recordOf(RULE_ID, 1, rule), pattern: patternOf(RULE_ID, rule) }],
    records: [...records, ...ticks],
  }
  expectAgreement(stream)
  const final = new Map(
    runModel(stream)
      .changes.flat()
      .map(({ alert, figures }) => [alert, figures]),
  )
  return [...final]
    .filter(([alert]) => alert.mergedInto === undefined)
    .map(([{ createdAt }, { count, firstSeen, lastSeen, windowValue }]) => {
      const [first, latest, created] = [firstSeen, lastSeen, createdAt].map((time) => (time - ZERO) / SECOND)
      return [count, first ?? Number.NaN, latest ?? Number.NaN, windowValue, created ?? Number.NaN]
    })
}

const AB = { parts: correlation({}).parts.slice(0, 2) }

describe('temporal', () => {
  it('holds while all rules are in the window, in any order', () => {
    expect(
      alertsOf(correlation(AB), [
        { t: 10, rules: 'b' },
        { t: 20, rules: 'a' },
      ]),
    ).toEqual([[2, 10, 20, 2, 20]])
    expect(
      alertsOf(correlation(AB), [
        { t: 10, rules: 'b' },
        { t: 70, rules: 'a' },
      ]),
    ).toEqual([])
  })
  it('counts an event for every rule that it matches', () => {
    expect(alertsOf(correlation(AB), [{ t: 10, rules: 'ab' }])).toEqual([[1, 10, 10, 2, 10]])
  })
  it('compares the number of different rules', () => {
    const two = correlation({ condition: [['gte', 2]] })
    expect(
      alertsOf(two, [
        { t: 0, rules: 'a' },
        { t: 1, rules: 'a' },
        { t: 2, rules: 'c' },
      ]),
    ).toEqual([[3, 0, 2, 2, 2]])
  })
})

describe('temporal_ordered', () => {
  const ordered = correlation({ type: 'temporal_ordered' })
  it('asks for the order of the list', () => {
    expect(
      alertsOf(ordered, [
        { t: 1, rules: 'a' },
        { t: 2, rules: 'b' },
        { t: 3, rules: 'c' },
      ]),
    ).toEqual([[3, 1, 3, 3, 3]])
    expect(
      alertsOf(ordered, [
        { t: 1, rules: 'a' },
        { t: 2, rules: 'c' },
        { t: 3, rules: 'b' },
      ]),
    ).toEqual([])
  })
  it('takes events of one time in either order', () => {
    expect(
      alertsOf(ordered, [
        { t: 1, rules: 'c' },
        { t: 1, rules: 'b' },
        { t: 1, rules: 'a' },
      ]),
    ).toEqual([[3, 1, 1, 3, 1]])
  })
  it('lets one event serve one step only', () => {
    const twice = correlation({ ...AB, type: 'temporal_ordered' })
    expect(alertsOf(twice, [{ t: 1, rules: 'ab' }])).toEqual([])
    expect(
      alertsOf(twice, [
        { t: 1, rules: 'ab' },
        { t: 2, rules: 'ab' },
      ]),
    ).toEqual([[2, 1, 2, 2, 2]])
  })
  it('opens by the record that completes it, whatever step that is', () => {
    const late = [
      { t: 2, rules: 'b' },
      { t: 3, rules: 'c' },
      { t: 1, rules: 'a', at: 20 },
    ]
    expect(alertsOf(ordered, late)).toEqual([[3, 1, 3, 3, 20]])
  })
})

describe('conditions that are settled', () => {
  const not = correlation({
    ...AB,
    condition: {
      kind: 'and',
      of: [
        { kind: 'rule', name: 'a' },
        { kind: 'not', of: { kind: 'rule', name: 'b' } },
      ],
    },
  })
  it('look ahead where they have a not: a that no b follows within the span', () => {
    const happenings = [
      { t: 0, rules: 'a' },
      { t: 59, rules: 'b' },
      { t: 100, rules: 'a' },
      { t: 160, rules: 'b' },
    ]
    // [100, 160) has no b; it is decided with the tick, and the b at 160 is after its last true moment.
    expect(alertsOf(not, happenings)).toEqual([[1, 100, 100, 1, 160 + 86_400]])
  })
  it('are decided by the first record that is past the window’s end and its last arrival by more than the lateness', () => {
    const at = (second: number): Happening => ({ t: second, rules: 'none' })
    expect(alertsOf(not, [{ t: 0, rules: 'a' }, at(90), at(91)])).toEqual([[1, 0, 0, 1, 91]])
    expect(alertsOf(not, [{ t: 0, rules: 'a', at: 70 }, at(100), at(101)])).toEqual([[1, 0, 0, 1, 101]])
  })
  it('look behind where they compare: fewer than two within the span', () => {
    const few = correlation({ ...AB, type: 'event_count', condition: [['lt', 2]] })
    const happenings = [
      { t: 0, rules: 'a' },
      { t: 30, rules: 'a' },
      { t: 200, rules: 'b' },
    ]
    // True at 0 and 200, more than Q = 60 apart, decided at once by the tick.
    expect(alertsOf(few, happenings)).toEqual([
      [1, 0, 0, 1, 200],
      [1, 200, 200, 1, 200 + 86_400],
    ])
  })
  it('take a negative number into a sum, and hold an exact value', () => {
    const zero = correlation({ ...AB, type: 'value_sum', fields: ['amount'], condition: [['eq', 0]] })
    const happenings = [
      { t: 0, rules: 'a', amount: 2.5 },
      { t: 10, rules: 'b', amount: -2.5 },
    ]
    expect(alertsOf(zero, happenings)).toEqual([[2, 0, 10, 0, 10 + 86_400]])
  })
  it('decide a time once: what comes too late changes nothing of it', () => {
    const happenings = [
      { t: 0, rules: 'a' },
      { t: 95, rules: 'none' },
      { t: 20, rules: 'b', at: 96 },
    ]
    expect(alertsOf(not, happenings)).toEqual([[1, 0, 0, 1, 95]])
  })
})

describe('several fields and aliases', () => {
  it('value_count counts different tuples of events that have all fields', () => {
    const pairs = correlation({ ...AB, type: 'value_count', fields: ['amount', 'targetResourceId'], condition: [['gte', 2]] })
    const happenings = [
      { t: 0, rules: 'a', amount: 1, target: 'x' },
      { t: 1, rules: 'a', amount: 1, target: 'x' },
      { t: 2, rules: 'a', amount: 2 },
      { t: 3, rules: 'a', amount: 1, target: 'y' },
    ]
    expect(alertsOf(pairs, happenings)).toEqual([[4, 0, 3, 2, 3]])
  })
  it('an alias joins what one rule calls principal and another target', () => {
    const alias = correlation({ ...AB, groupBy: ['who'], aliases: { who: { a: 'principalId', b: 'targetResourceId' } } })
    expect(
      alertsOf(alias, [
        { t: 0, rules: 'a', target: 'x' },
        { t: 1, rules: 'b', target: 'u1' },
      ]),
    ).toEqual([[2, 0, 1, 2, 1]])
    expect(
      alertsOf(alias, [
        { t: 0, rules: 'a', target: 'x' },
        { t: 1, rules: 'b', target: 'x' },
      ]),
    ).toEqual([])
  })
})

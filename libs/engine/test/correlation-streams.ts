/** Random correlations of every kind, and streams that come close to what they ask for. */
import type { AuditEvent, ControlRecord, RuleRecord } from '@tocsin/contracts'
import fc from 'fast-check'
import type { TextCondition } from './correlation-conditions.ts'
import { type Comparison, type Correlation, type Op, patternOf, recordOf } from './correlation-rules.ts'
import { placesOfChanges } from './harness.ts'
import type { ModelRecord } from './model-types.ts'
import { burst, calm, lag, makeEvent, ORGANIZATIONS, type Stream } from './streams.ts'

const SECOND = 1000
const DAY = 86_400_000
const START = Date.parse('2026-07-01T09:00:00Z')

const PARTS = [
  { name: 'x_one', actions: ['a', 'ab', 'abc'] },
  { name: 'x_two', actions: ['b', 'ab', 'bc', 'abc'] },
  { name: 'third', actions: ['c', 'bc', 'abc'] },
  { name: 'x_four', actions: ['a', 'c', 'd', 'abc'] },
] as const
const NAMES = PARTS.map(({ name }) => name)

const few = fc.integer({ min: 1, max: 4 })
const ops = fc.constantFrom<Op>('gt', 'gte', 'lt', 'lte', 'eq', 'neq')

/** One comparison decided at once, one that is settled, or a range. */
const comparisons = (limit: fc.Arbitrary<number>): fc.Arbitrary<readonly Comparison[]> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.tuple(fc.constantFrom<Op>('gte', 'gt'), limit).map((one) => [one]) },
    { weight: 3, arbitrary: fc.tuple(ops, limit).map((one) => [one]) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom<Op>('gt', 'gte'), limit, fc.constantFrom<Op>('lt', 'lte', 'neq'), limit)
        .map(([low, from, high, width]): Comparison[] => [
          [low, from],
          [high, from + width],
        ]),
    },
  )

const { condition: textConditions } = fc.letrec<{ condition: TextCondition }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('rule' as const), name: fc.constantFrom(...NAMES) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('some' as const),
        quantity: fc.constantFrom('1' as const, 'any' as const, 'all' as const),
        pattern: fc.constantFrom('them', 'x_*'),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('not' as const), of: tie('condition') }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        of: fc.array(tie('condition'), { minLength: 2, maxLength: 3 }),
      }),
    },
  ),
}))

/** Sums of quarters are exact in any order; those of tenths are not. */
const AMOUNTS = {
  quarters: [0.25, 0.5, 1, 2.75, 0],
  tenths: [0.1, 0.2, 0.3, 0.7],
  negative: [-1, 2, -0.5, 0.5, 3],
  odd: [1, '2', 'many', null, true, 1.5, -2],
} as const
type Amounts = keyof typeof AMOUNTS

const kinds = fc.oneof(
  fc.record({ type: fc.constant('event_count' as const), condition: comparisons(few) }),
  fc.record({
    type: fc.constant('value_count' as const),
    condition: comparisons(few),
    fields: fc.constantFrom(['targetResourceId'], ['amount'], ['amount', 'targetResourceId'], ['recordCount', 'ipAddress']),
  }),
  fc.record({
    type: fc.constant('value_sum' as const),
    condition: comparisons(fc.constantFrom(0.3, 0.6, 1, 1.5, 2, 3, 5, 8)),
    fields: fc.constantFrom(['amount'], ['amount'], ['recordCount']),
    default: fc.constantFrom(null, null, 1),
  }),
  fc.record({
    type: fc.constant('temporal' as const),
    condition: fc.oneof(fc.constant(null), comparisons(fc.integer({ min: 1, max: 3 })), textConditions, textConditions),
  }),
  fc.record({ type: fc.constant('temporal_ordered' as const), condition: fc.constant(null) }),
)

const groupings = fc.constantFrom<Pick<Correlation, 'groupBy' | 'aliases'>>(
  { groupBy: ['principalId'], aliases: {} },
  { groupBy: ['principalId'], aliases: {} },
  { groupBy: ['principalId', 'ipAddress'], aliases: {} },
  { groupBy: ['who'], aliases: { who: { x_one: 'principalId', x_two: 'targetResourceId', third: 'principalId' } } },
  { groupBy: ['principalId'], aliases: { principalId: { x_two: 'targetResourceId' } } },
)

export const correlations: fc.Arbitrary<Correlation> = fc
  .record({
    kind: kinds,
    parts: fc.constantFrom([0, 1], [0, 1, 2], [1, 0], [2, 0, 1], [0], [0, 3], [1, 3, 0, 2]),
    grouping: groupings,
    spanS: fc.integer({ min: 1, max: 5 }),
    cooldownS: fc.integer({ min: 0, max: 3 }),
    latenessS: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 4, max: 20 })),
  })
  .map(({ kind, parts, grouping, ...times }) => {
    const isText = kind.condition !== null && !Array.isArray(kind.condition)
    // A text may name any of them, and aliases name the rules that are there.
    const chosen = (isText ? [0, 1, 2, 3] : parts).flatMap((i) => PARTS[i] ?? [])
    const aliases = Object.fromEntries(
      Object.entries(grouping.aliases).map(([alias, of]) => [
        alias,
        Object.fromEntries(Object.entries(of).filter(([name]) => chosen.some((part) => part.name === name))),
      ]),
    )
    return { fields: [], default: null, ...kind, ...times, groupBy: grouping.groupBy, aliases, parts: chosen }
  })

type Who = Pick<AuditEvent, 'principalId' | 'targetResourceId' | 'sessionContext'>

const WHO: readonly Who[] = [
  { principalId: 'u1', targetResourceId: 'u1', sessionContext: { ipAddress: '10.0.0.1' } },
  { principalId: 'u1', targetResourceId: 'u2', sessionContext: { ipAddress: '10.0.0.1' } },
  { principalId: 'u2', targetResourceId: 'u1', sessionContext: { ipAddress: '10.0.0.2' } },
  { principalId: 'u1', sessionContext: { ipAddress: '10.0.0.1' } },
  { targetResourceId: 'u1', sessionContext: { ipAddress: '10.0.0.1' } },
  { principalId: ' ', targetResourceId: 'u2' },
]

const steps = (size: number) =>
  fc
    .record({
      actions: fc.oneof(
        fc.constant(['a', 'b', 'c', 'd', 'ab', 'bc', 'abc', 'none']),
        fc.constantFrom(['a', 'b'], ['a', 'b', 'c'], ['a'], ['ab', 'b']),
      ),
      who: fc.oneof(fc.constantFrom([0], [0, 1], [0, 1, 2]), fc.constant(WHO.map((_, i) => i))),
      amounts: fc.constantFrom<Amounts>('quarters', 'tenths', 'negative', 'odd'),
      advance: fc.constantFrom(calm, calm, burst),
      organizations: fc.constantFrom([0], [0], [0, 1]),
    })
    .chain(({ actions, who, amounts, advance, organizations }) =>
      fc.array(
        fc.record({
          kind: fc.oneof(
            { weight: 14, arbitrary: fc.constant('event' as const) },
            { weight: 1, arbitrary: fc.constant('copy' as const) },
            { weight: 1, arbitrary: fc.constant('conflict' as const) },
            { weight: 4, arbitrary: fc.constant('tick' as const) },
          ),
          advance,
          lag,
          organization: fc.constantFrom(...organizations),
          action: fc.constantFrom(...actions),
          who: fc.constantFrom(...who),
          amount: fc.option(fc.constantFrom<unknown>(...AMOUNTS[amounts])),
          recordCount: fc.option(fc.nat({ max: 3 })),
          earlier: fc.nat({ max: 10 }),
        }),
        { minLength: 1, maxLength: size, size: 'max' },
      ),
    )

type Step = ReturnType<typeof steps> extends fc.Arbitrary<(infer S)[]> ? S : never

const RULE_ID = 'test.correlation'

export const correlationStreams = (size: number, rules = correlations): fc.Arbitrary<Stream> =>
  fc.record({ rule: rules, steps: steps(size) }).map(({ rule, steps }) => ({
    day0: Math.floor(START / DAY) * DAY,
    settings: new Map(),
    rules: [{ record: recordOf(RULE_ID, 1, rule), pattern: patternOf(RULE_ID, rule) }],
    records: recordsOf(SECOND / 2, steps),
  }))

type Aspect = 'condition' | 'span' | 'cooldown' | 'lateness' | 'actions' | 'grouping' | 'everything'

interface Version {
  readonly at: number
  /** 0: an outdated version, to be ignored. */
  readonly step: number
  readonly state: RuleRecord['state']
  readonly other: Correlation
  readonly aspect: Aspect
}

const versions = (rules: fc.Arbitrary<Correlation>): fc.Arbitrary<Version[]> =>
  fc.array(
    fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      step: fc.constantFrom(0, 1, 1, 1, 1, 2),
      state: fc.constantFrom('active', 'active', 'active', 'active', 'paused', 'retired'),
      other: rules,
      aspect: fc.constantFrom<Aspect>(
        'condition',
        'condition',
        'span',
        'cooldown',
        'lateness',
        'actions',
        'grouping',
        'everything',
      ),
    }),
    { minLength: 1, maxLength: 4 },
  )

/** The rule with one thing of another: a change of everything at once would hide what one of them does. */
function changed(rule: Correlation, { other, aspect }: Version): Correlation {
  const isText = (of: Correlation) => of.condition !== null && !Array.isArray(of.condition)
  switch (aspect) {
    case 'condition':
      return rule.type === other.type && isText(rule) === isText(other) ? { ...rule, condition: other.condition } : rule
    case 'span':
      return { ...rule, spanS: other.spanS }
    case 'cooldown':
      return { ...rule, cooldownS: other.cooldownS }
    case 'lateness':
      return { ...rule, latenessS: other.latenessS }
    case 'actions':
      return { ...rule, parts: rule.parts.map((part) => ({ ...part, actions: [...part.actions.slice(1), 'c', 'd', 'none'] })) }
    case 'grouping':
      return { ...rule, groupBy: ['ipAddress'], aliases: {} }
    case 'everything':
      return other
  }
}

/** Streams during which the rule gets other versions, is paused and made active again. */
export const changingCorrelationStreams = (size: number, rules = correlations): fc.Arbitrary<Stream> =>
  fc.tuple(correlationStreams(size, rules), rules, versions(rules)).map(([stream, first, changes]) => {
    let rule = first
    let version = 1
    const made = [{ record: recordOf(RULE_ID, 1, rule), pattern: patternOf(RULE_ID, rule) }]
    const records = [...stream.records]
    const places = placesOfChanges(
      { ...stream, rules: made },
      changes.map(({ at }) => at),
    )
    const controls = changes.map((change): ControlRecord => {
      if (change.step > 0) rule = changed(rule, change)
      version += change.step
      const record = { ...recordOf(RULE_ID, version, rule), state: change.state }
      if (change.step > 0) made.push({ record, pattern: patternOf(RULE_ID, rule) })
      return { kind: 'rule', rule: record }
    })
    for (const [i, control] of [...controls.entries()].reverse()) {
      const place = places[i] ?? 0
      records.splice(place, 0, { kind: 'control', appendTime: stream.records[place]?.appendTime ?? 0, control })
    }
    return { ...stream, rules: made, records }
  })

function recordsOf(half: number, steps: readonly Step[]): ModelRecord[] {
  const events: AuditEvent[] = []
  let appendTime = START
  return steps.map((step) => {
    appendTime += step.advance.halves * half + step.advance.ms
    if (step.kind === 'tick') return { kind: step.kind, appendTime }
    const earlier = events[events.length - 1 - step.earlier]
    if (step.kind === 'copy' && earlier !== undefined) return { kind: 'event', appendTime, event: earlier }
    const onGrid = START + Math.floor((appendTime - START) / half) * half
    const from = Math.abs(step.lag.ms) > 1 ? appendTime : onGrid
    const event = makeEvent({
      id: step.kind === 'conflict' && earlier !== undefined ? earlier.id : `e${events.length}`,
      t: from - step.lag.halves * half + step.lag.ms,
      organizationId: ORGANIZATIONS[step.organization] ?? ORGANIZATIONS[0],
      category: 'other',
      operation: 'other',
      outcome: 'success',
      action: step.action,
      ...WHO[step.who],
      ...(step.amount === null ? {} : { details: { amount: step.amount } }),
      ...(step.recordCount === null ? {} : { recordCount: step.recordCount }),
    })
    events.push(event)
    return { kind: 'event', appendTime, event }
  })
}

import type { AlertWithEvidence } from '@tocsin/contracts'
import { expect, test } from 'vitest'
import { AlertCache } from './alert-cache.ts'
import type { AlertRecord, HalfRecord } from './alert-record.ts'
import { type Change, showing } from './change.ts'
import { apply, join, NOTHING, untouched } from './halves.ts'
import { Joiner, type Lookup } from './joiner.ts'
import { ACKNOWLEDGED, figures, figuresRecord, ORGANIZATION, statusRecord } from './samples.ts'

const APPEND_TIME = Date.parse('2026-03-01T12:00:00Z')

function setUp(
  answer: (alertId: string) => Promise<Lookup> | Lookup = () => ({ kind: 'away' }),
  options: { readFrom?: number; maxAlerts?: number } = {},
) {
  const changes: Change[] = []
  const asked: string[] = []
  const forgotten: string[] = []
  const cache = new AlertCache(options.maxAlerts ?? 100)
  cache.begin(0, options.readFrom ?? Number.NEGATIVE_INFINITY)
  const joiner = new Joiner({
    cache,
    lookup: async (_organizationId, alertId) => {
      asked.push(alertId)
      return answer(alertId)
    },
    emit: (change) => changes.push(change),
    forget: (_organizationId, alertId) => forgotten.push(alertId),
  })
  let offset = 0n
  const accept = (...records: AlertRecord[]) => {
    for (const record of records) joiner.accept({ partition: 0, offset: offset++, appendTime: APPEND_TIME }, record)
  }
  const told = () => changes.map((change) => ({ ...JSON.parse(change.alert), offset: change.offset, partial: change.partial }))
  return { joiner, accept, changes, asked, forgotten, told }
}

/** Persistence's answer: the alert with these records applied. */
const found = (...records: HalfRecord[]): Lookup => {
  const halves = records.reduce((now, record) => {
    const applied = apply(now, record)
    return applied.kind === 'newer' ? applied.halves : now
  }, untouched(NOTHING))
  return { kind: 'found', alert: { ...join(halves).alert, evidence: [] } as unknown as AlertWithEvidence }
}

test('a whole life is joined without asking persistence when the log was read from its beginning', () => {
  const { accept, asked, changes, told } = setUp()
  accept(figuresRecord(1), figuresRecord(1, 2), statusRecord(1, 1, ACKNOWLEDGED))
  expect(asked).toEqual([])
  expect(told()).toMatchObject([
    { revision: 1, status: 'active', partial: false },
    { revision: 2, status: 'active', partial: false },
    { revision: 2, status: 'acknowledged', version: 1, partial: false },
  ])
  expect(changes.map(({ created, userId }) => [created, userId])).toEqual([
    [true, undefined],
    [false, undefined],
    [false, 'ann@example.org'],
  ])
})

test('what the detector publishes again after a crash is told once', () => {
  const { accept, changes } = setUp()
  accept(figuresRecord(1), figuresRecord(1, 2), figuresRecord(1), figuresRecord(1, 2))
  expect(changes).toHaveLength(2)
})

test('the system is no person', () => {
  const { accept, changes } = setUp()
  accept(figuresRecord(1), statusRecord(1, 1, { status: 'dismissed' }, 'alert.dismissed', 'system'))
  expect(changes.map((each) => each.userId)).toEqual([undefined, undefined])
})

test('an alert older than what was read is looked up, and order is kept while that lasts', async () => {
  const gate = Promise.withResolvers<Lookup>()
  const { joiner, accept, told, asked } = setUp(() => gate.promise, { readFrom: APPEND_TIME - 1000 })
  accept(figuresRecord(1, 7), figuresRecord(2, 1, { createdAt: new Date(APPEND_TIME).toISOString() }))
  expect(joiner.firstWaiting(ORGANIZATION)).toBe(0n)
  expect(told()).toEqual([])
  gate.resolve(found(figuresRecord(1, 6), statusRecord(1, 1, ACKNOWLEDGED)))
  await joiner.whenIdle()
  expect(asked).toHaveLength(1)
  expect(told()).toMatchObject([
    { id: expect.stringMatching(/1$/), revision: 7, status: 'acknowledged', partial: false },
    { id: expect.stringMatching(/2$/), status: 'active', partial: false },
  ])
  expect(joiner.firstWaiting(ORGANIZATION)).toBeUndefined()
})

test('where persistence is ahead of the log the newer state is told once, and the records it contains no more', async () => {
  const { joiner, accept, told } = setUp(() => found(figuresRecord(1, 9), statusRecord(1, 2, ACKNOWLEDGED)), {
    readFrom: APPEND_TIME,
  })
  accept(figuresRecord(1, 7))
  await joiner.whenIdle()
  accept(figuresRecord(1, 8), figuresRecord(1, 9), statusRecord(1, 2, ACKNOWLEDGED))
  expect(told()).toMatchObject([{ revision: 9, version: 2 }])
})

test('an alert that persistence does not have yet was touched by nobody', async () => {
  const { joiner, accept, told } = setUp(() => ({ kind: 'missing' }), { readFrom: APPEND_TIME })
  accept(figuresRecord(1))
  await joiner.whenIdle()
  expect(told()).toMatchObject([{ status: 'active', partial: false }])
})

test('without persistence the half that is known goes out as partial, and the next change asks again', async () => {
  let answer: Lookup = { kind: 'away' }
  const { joiner, accept, told } = setUp(() => answer, { readFrom: APPEND_TIME })
  accept(statusRecord(1, 4, { status: 'resolved', resolved: true }))
  await joiner.whenIdle()
  answer = found(figuresRecord(1, 3), statusRecord(1, 4, { status: 'resolved', resolved: true }))
  accept(figuresRecord(1, 4))
  await joiner.whenIdle()
  const [first, second] = told()
  expect(first).toMatchObject({ partial: true, status: 'resolved', version: 4 })
  expect(first).not.toHaveProperty('title')
  expect(second).toMatchObject({ partial: false, status: 'resolved', revision: 4, title: expect.any(String) })
})

test('an alert that fell out of the bounded cache is looked up again', async () => {
  const { joiner, accept, asked } = setUp(() => ({ kind: 'missing' }), { maxAlerts: 2 })
  accept(figuresRecord(1), figuresRecord(2), figuresRecord(3))
  expect(asked).toEqual([])
  accept(figuresRecord(1, 2))
  await joiner.whenIdle()
  expect(asked).toHaveLength(1)
})

const erasedRecord = (n: number, reason: 'retention' | 'erasure'): AlertRecord => ({
  half: 'none',
  type: 'alert.erased',
  erased: { id: figures(n).id, organizationId: ORGANIZATION, at: figures(n).updatedAt, reason },
})

test('what was erased of an alert is masked in what is held and in what was told, and the change says so', () => {
  const { accept, changes, forgotten, told } = setUp()
  accept(figuresRecord(1), erasedRecord(1, 'erasure'), statusRecord(1, 1, ACKNOWLEDGED))
  expect(forgotten).toEqual([figures(1).id])
  expect(told().slice(1)).toMatchObject([
    { title: figures(1).rule.name, description: '[masked]', partial: false },
    { title: figures(1).rule.name, status: 'acknowledged' },
  ])
  expect(changes.map(({ gone }) => gone)).toEqual([undefined, undefined, undefined])
})

test('an alert that retention deleted is gone for whoever was shown it', () => {
  const { accept, changes } = setUp()
  accept(figuresRecord(1), erasedRecord(1, 'retention'))
  expect(changes.map((change) => showing({}, change))).toEqual(['created', 'retention'])
  expect(showing({ severity: ['LOW'] }, changes[1] as Change)).toBe('hidden')
})

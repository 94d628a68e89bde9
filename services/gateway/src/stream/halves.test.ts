import { expect, test } from 'vitest'
import type { HalfRecord } from './alert-record.ts'
import { apply, type Halves, halvesOf, join, merge, NOTHING, untouched } from './halves.ts'
import { ACKNOWLEDGED, at, figuresRecord, statusRecord } from './samples.ts'

const after = (halves: Halves, ...records: HalfRecord[]): Halves =>
  records.reduce((now, record) => {
    const applied = apply(now, record)
    return applied.kind === 'newer' ? applied.halves : now
  }, halves)

test('neither half overwrites the other', () => {
  const { alert, partial } = join(
    after(
      untouched(NOTHING),
      figuresRecord(1),
      statusRecord(1, 1, ACKNOWLEDGED),
      figuresRecord(1, 2, { count: 9, updatedAt: at(9000) }),
    ),
  )
  expect(partial).toBe(false)
  expect(alert).toMatchObject({ status: 'acknowledged', version: 1, count: 9, revision: 2, updatedAt: at(9000) })
  expect(alert).not.toHaveProperty('evidence')
})

test('updatedAt is the later of the two halves', () => {
  const { alert } = join(
    after(untouched(NOTHING), figuresRecord(1, 1, { updatedAt: at(9000) }), statusRecord(1, 1, ACKNOWLEDGED)),
  )
  expect(alert.updatedAt).toBe(at(9000))
})

test('a half that is not newer is stale', () => {
  const halves = after(untouched(NOTHING), figuresRecord(1, 2), statusRecord(1, 2, ACKNOWLEDGED))
  expect(apply(halves, figuresRecord(1, 2)).kind).toBe('stale')
  expect(apply(halves, figuresRecord(1, 1)).kind).toBe('stale')
  expect(apply(halves, statusRecord(1, 2, { status: 'active' })).kind).toBe('stale')
})

test('the first status change needs no status before it; a later one is partial without', () => {
  expect(join(after(NOTHING, figuresRecord(1), statusRecord(1, 1, ACKNOWLEDGED)))).toMatchObject({
    partial: false,
    alert: { resolved: false },
  })
  const late = join(after(NOTHING, figuresRecord(1), statusRecord(1, 2, ACKNOWLEDGED)))
  expect(late).toMatchObject({ partial: true, alert: { status: 'acknowledged', revision: 1 } })
  expect(late.alert).not.toHaveProperty('resolved')
})

test('changes that came without their status go on top of the one that is found later', () => {
  const loose = after(NOTHING, statusRecord(1, 3, { assignee: 'bob@example.org' }))
  const { alert: found } = join(after(untouched(NOTHING), figuresRecord(1), statusRecord(1, 1, ACKNOWLEDGED)))
  const { alert, partial } = join(merge(loose, halvesOf(found as Parameters<typeof halvesOf>[0])))
  expect(partial).toBe(false)
  expect(alert).toMatchObject({ status: 'acknowledged', assignee: 'bob@example.org', version: 3 })
})

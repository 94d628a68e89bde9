import { ALERT_STATUSES, type Alert, type AlertStatusChange, type RuleRecord, SEVERITIES, UNTOUCHED } from '@tocsin/contracts'
import { describe, expect, test } from 'vitest'
import { expiryMsOf } from './acknowledgement-expiry.ts'
import { foldBatch } from './fold-batch.ts'
import { withLabels } from './labels.ts'
import { healthOf, NO_RECIPIENTS, settingsFaults, slugOf, withSettings } from './organization-settings.ts'
import { packChanges } from './rule-pack.ts'
import { type Command, decide, withStatus } from './status-change.ts'
import { maybeUnstorable, unstorable } from './storable.ts'
import { systemActOn } from './system-act.ts'
import { ACTIONS, isRefusal, TRANSITIONS } from './transitions.ts'

const organizationId = '6f7b7a0e-2f0c-4f6e-9c38-0a5d2a7a1b11'
const alert = (over: Partial<Alert> = {}): Alert => ({
  id: '6f7b7a0e-2f0c-4f6e-9c38-0a5d2a7a1b99',
  organizationId,
  type: 'SECURITY',
  severity: 'HIGH',
  title: 't',
  description: 'd',
  source: 'detector',
  rule: { id: 'r', name: 'n', version: 1, hash: 'h' },
  pattern: null,
  group: {},
  window: { from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z', spanMs: 0, threshold: 1, value: 1 },
  firstSeen: '2026-01-01T00:00:00.000Z',
  lastSeen: '2026-01-01T00:00:00.000Z',
  count: 1,
  peak: 1,
  revision: 1,
  open: true,
  backfilled: false,
  metadata: {},
  tags: [],
  runbook: null,
  correlationId: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  ...UNTOUCHED,
  ...over,
})

describe('status', () => {
  const ada = { subject: 'ada', channel: 'cli', now: Date.parse('2026-01-01T09:00:00Z') } as const

  test('goes where the table says and nowhere else', () => {
    const ways = ALERT_STATUSES.flatMap((from) =>
      ACTIONS.flatMap((action) => {
        const next = TRANSITIONS[from][action]
        return isRefusal(next) ? [] : [`${from} ${action} ${next}`]
      }),
    )
    expect(ways).toEqual([
      'active acknowledge acknowledged',
      'active resolve resolved',
      'active dismiss dismissed',
      'acknowledged unacknowledge active',
      'acknowledged resolve resolved',
      'acknowledged dismiss dismissed',
      'resolved reopen active',
      'dismissed reopen active',
    ])
  })

  test('an act touches only its own fields, and its time never lies before the alert', () => {
    const step = decide(
      alert({ version: 4, updatedAt: '2026-01-01T10:00:00.000Z' }),
      { action: 'acknowledge', comment: 'mine' },
      ada,
      { acknowledgementExpiryMs: { HIGH: 60_000 } },
    )
    expect(step).toMatchObject({
      type: 'alert.acknowledged',
      from: 'active',
      change: {
        version: 5,
        actor: 'ada',
        channel: 'cli',
        comment: 'mine',
        updatedAt: '2026-01-01T10:00:00.000Z',
        changes: {
          status: 'acknowledged',
          acknowledged: true,
          acknowledgedAt: '2026-01-01T10:00:00.000Z',
          acknowledgedBy: 'ada',
          acknowledgementExpiresAt: '2026-01-01T10:01:00.000Z',
        },
      },
    })
  })

  test('whatever was done, reopening leaves nothing of it but version, assignee and labels', () => {
    const acts: readonly Command[] = [
      { action: 'assign', assignee: 'eve' },
      { action: 'label', add: ['Night  Shift'], remove: [] },
      { action: 'acknowledge' },
      { action: 'resolve', notes: 'n', resolutionAction: 'a', metadata: { ticket: 1 } },
      { action: 'reopen' },
      { action: 'dismiss', reason: 'benign', notes: 'n' },
      { action: 'reopen' },
    ]
    const first = alert()
    const last = acts.reduce((held, command) => {
      const step = decide(held, command, ada)
      if (isRefusal(step)) throw new Error(`${command.action} was refused: ${step.refused}`)
      return withStatus(held, step.change)
    }, first)
    expect(last).toEqual({
      ...first,
      updatedAt: '2026-01-01T09:00:00.000Z',
      version: 7,
      assignee: 'eve',
      labels: ['night shift'],
    })
  })

  test('an acknowledgement holds as long as the organization says, else an hour for CRITICAL, four for HIGH, for ever below', () => {
    expect(SEVERITIES.map((severity) => expiryMsOf(severity, {}))).toEqual([3_600_000, 14_400_000, null, null, null])
    expect(expiryMsOf('CRITICAL', { acknowledgementExpiryMs: { CRITICAL: null } })).toBeNull()
    expect(expiryMsOf('LOW', { acknowledgementExpiryMs: { LOW: 60_000 } })).toBe(60_000)
  })

  test('labels have one spelling, one of each, and a limit; a change that changes nothing is refused', () => {
    expect(withLabels(['b'], { add: ['A  b', 'a B'], remove: ['B'] })).toEqual(['a b'])
    expect(withLabels(['a'], { add: ['A'], remove: ['x'] })).toEqual({ refused: 'alreadyThere' })
    const many = Array.from({ length: 51 }, (_, at) => `l${at}`)
    expect(withLabels([], { add: many, remove: [] })).toEqual({ refused: 'tooManyLabels' })
  })

  test('a newer status half keeps the figures and the later time', () => {
    const change = {
      id: '',
      organizationId,
      version: 1,
      actor: 'ada',
      updatedAt: '2025-01-01T00:00:00.000Z',
      changes: { status: 'resolved' as const },
    }
    expect(withStatus(alert({ count: 9 }), change)).toMatchObject({
      count: 9,
      status: 'resolved',
      version: 1,
      updatedAt: '2026-01-01T00:00:00.000Z',
    })
  })
})

describe('the system in the place of people', () => {
  const on = (figures: Partial<Alert>, state: Partial<Alert>) => systemActOn(alert(figures), alert(state))

  test('reopens what has doubled since it ended, and grown by one at least', () => {
    const ended = (endedAtCount: number) => ({ status: 'resolved', endedAtCount }) as const
    expect(on({ count: 9 }, ended(5))).toBeNull()
    expect(on({ count: 10 }, ended(5))).toMatchObject({ command: { action: 'reopen' }, unlessTouched: false })
    expect(on({ count: 0 }, ended(0))).toBeNull()
    expect(on({ count: 1 }, ended(0))).toMatchObject({ command: { action: 'reopen' } })
    expect(on({ count: 10, metadata: { mergedInto: 'x' } }, ended(5))).toBeNull()
    expect(on({ count: 10 }, { status: 'dismissed', endedAtCount: null })).toBeNull()
  })

  test('dismisses what was merged and names into which, and resolves with its episode where the rule says so', () => {
    expect(on({ open: false, metadata: { mergedInto: 'x' } }, {})).toEqual({
      command: { action: 'dismiss', reason: 'duplicate', metadata: { mergedInto: 'x' } },
      unlessTouched: true,
    })
    expect(on({ open: false, metadata: { autoResolve: true } }, {})).toMatchObject({
      command: { action: 'resolve' },
      unlessTouched: true,
    })
    expect(on({ open: true, metadata: { autoResolve: true } }, {})).toBeNull()
    expect(on({ open: false }, {})).toBeNull()
  })
})

describe('a batch', () => {
  const figures = (id: string, revision: number) => ({
    half: 'figures' as const,
    type: 'alert.revised' as const,
    figures: { ...alert({ id, revision }), evidence: [] },
  })
  const status = (id: string, version: number) => ({
    half: 'status' as const,
    type: 'alert.acknowledged' as const,
    change: { id, organizationId, version, actor: 'a', updatedAt: '', changes: {} } satisfies AlertStatusChange,
  })

  test('comes to the highest revision of each alert and to rising versions', () => {
    const folded = foldBatch([
      figures('a', 1),
      status('a', 1),
      figures('b', 2),
      figures('a', 3),
      figures('a', 2),
      status('a', 3),
      status('a', 2),
    ])
    expect(folded.figures.map(({ id, revision }) => [id, revision])).toEqual([
      ['a', 3],
      ['b', 2],
    ])
    expect(folded.statuses.map(({ change }) => change.version)).toEqual([1, 3])
  })
})

describe('texts that PostgreSQL cannot keep', () => {
  test('are found by place, in values and keys, however deep', () => {
    expect(unstorable({ a: [{ 'b/c~': 'x\0' }] })).toBe('/a/0/b~1c~0')
    expect(unstorable({ a: { 'k\0': 1 } })).toBe('/a')
    expect(unstorable('\ud800')).toBe('')
    expect(unstorable({ a: '😀', b: null, c: 1, d: ['\\u0000'] })).toBeNull()
  })

  test('can stand in JSON only as an escape that the quick look sees', () => {
    for (const text of ['a\0', '\ud800', '\udfff x']) expect(maybeUnstorable(JSON.stringify(text))).toBe(true)
    expect(maybeUnstorable(JSON.stringify('plain äöü 😀'))).toBe(false)
  })
})

describe('settings', () => {
  test('a change keeps what it does not name', () => {
    expect(withSettings({ zone: 'UTC', notificationDelaysMs: { HIGH: 1 } }, { notificationDelaysMs: { LOW: 2 } })).toEqual({
      zone: 'UTC',
      notificationDelaysMs: { HIGH: 1, LOW: 2 },
    })
    expect(withSettings({ zone: 'UTC' })).toEqual({ zone: 'UTC' })
  })

  test('good ones have no fault', () => {
    const recipients = { emails: ['a.b+c@example.org', 'dev@localhost'], slackChannels: ['#soc'], phoneNumbers: ['+49 30 1'] }
    expect(settingsFaults({ zone: 'Asia/Kathmandu', holidays: ['2024-02-29'] }, recipients)).toEqual([])
    expect(healthOf(recipients)).toEqual({ status: 'OK', problems: [] })
    expect(healthOf(NO_RECIPIENTS)).toMatchObject({ status: 'WARNING', problems: [{ code: 'NOBODY_TOLD' }] })
  })

  test.each([
    ['Acme & Söhne GmbH', 'acme-sohne-gmbh'],
    ['  ', 'organization'],
    ['日本', 'organization'],
    ['-a-', 'a'],
    ['x'.repeat(200), 'x'.repeat(63)],
  ])('the slug of %j is %s', (name, slug) => {
    expect(slugOf(name)).toBe(slug)
  })
})

describe('the rule pack', () => {
  const file = (ruleId: string, hash: string) => ({ ruleId, title: ruleId, content: hash, hash })
  const rule = (ruleId: string, hash: string, over: Partial<RuleRecord> = {}): RuleRecord => ({
    ruleId,
    content: hash,
    hash,
    organizationId: null,
    version: 3,
    state: 'active',
    ...over,
  })
  const summary = (changes: RuleRecord[]) => changes.map(({ ruleId, version, state, hash }) => [ruleId, version, state, hash])

  test('publishes new and changed files under the next version, and nothing else', () => {
    const changes = packChanges([rule('a', '1'), rule('b', '1')], [file('a', '1'), file('b', '2'), file('c', '1')])
    expect(summary(changes)).toEqual([
      ['b', 4, 'active', '2'],
      ['c', 1, 'active', '1'],
    ])
  })

  test('retires a file that is gone, once, and takes it back when it returns', () => {
    expect(summary(packChanges([rule('a', '1')], []))).toEqual([['a', 4, 'retired', '1']])
    expect(packChanges([rule('a', '1', { state: 'retired' })], [])).toEqual([])
    expect(summary(packChanges([rule('a', '1', { state: 'retired' })], [file('a', '1')]))).toEqual([['a', 4, 'active', '1']])
  })

  test('leaves a paused rule paused', () => {
    expect(summary(packChanges([rule('a', '1', { state: 'paused' })], [file('a', '2')]))).toEqual([['a', 4, 'paused', '2']])
  })
})

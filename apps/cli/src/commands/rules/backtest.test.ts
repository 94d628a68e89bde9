import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BacktestRun, Tally } from '@tocsin/backtest'
import type { AuditEvent } from '@tocsin/contracts'
import { parsedEvent } from '@tocsin/engine'
import { afterAll, describe, expect, it } from 'vitest'
import type { Output } from '../../output.ts'
import { readRules } from '../../rules/rule-files.ts'
import { type BacktestOptions, backtest } from './backtest.ts'
import { lintRules } from './lint.ts'
import { testRules } from './test.ts'

const folder = mkdtempSync(join(tmpdir(), 'tocsin-backtest-'))
afterAll(() => rmSync(folder, { recursive: true }))

const rule = (id: string, selection: string, condition = 's'): string =>
  `title: ${id}\nid: ${id}\nlogsource: { product: elsewhere }\ndetection: { s: ${selection}, condition: ${condition} }\n`

function collect() {
  const results: string[] = []
  const notes: string[] = []
  const output: Output = { result: (text) => results.push(...text.split('\n')), note: (text) => notes.push(text) }
  return { output, results, notes }
}

function folderOf(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(folder, 'rules-'))
  mkdirSync(join(path, 'deep'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return path
}

async function rawMatches(rules: string, lines: readonly string[]) {
  const events = join(folder, 'events.ndjson')
  writeFileSync(events, `${lines.join('\n')}\n`)
  const { output, results, notes } = collect()
  expect(await backtest({ rules: [rules], events, format: 'raw', print: 'matches', now: 0, output })).toBe(0)
  return { matches: results.map((line) => JSON.parse(line) as unknown), notes }
}

describe('tocsin rules backtest --format raw --matches', () => {
  it('prints rule, event and line of every match, whatever the logsource', async () => {
    const rules = folderOf({
      'a.yml': rule('r1', '{ verb: delete }'),
      'deep/b.yaml': rule('r2', '{ a.b|contains: x }'),
      'c.txt': 'no rule',
    })
    const { matches, notes } = await rawMatches(rules, [
      '{"id":"e1","verb":"DELETE","a":{"b":"xyz"}}',
      '',
      '{"eventID":"e3","verb":"get","a":{"b":["-","X"]}}',
      '{"verb":["get","delete"]}',
    ])
    expect(matches).toEqual([
      { ruleId: 'r1', eventId: 'e1', line: 1 },
      { ruleId: 'r2', eventId: 'e1', line: 1 },
      { ruleId: 'r2', eventId: 'e3', line: 3 },
      { ruleId: 'r1', eventId: null, line: 4 },
    ])
    expect(notes.join('\n')).toMatch(/3 events in 4 lines, 0 passed over[\s\S]*4 matches of 2 detections\n {2}2 {2}r1/)
  })

  it('names refused rules and unreadable lines, and goes on with the rest', async () => {
    const rules = folderOf({ 'a.yml': rule('r1', '{ verb: x }'), 'b.yml': rule('r2', '{ verb: x }', 's and t') })
    const { matches, notes } = await rawMatches(rules, ['{"verb":"x"}', 'no json', '[1]', '{"verb":"x"}'])
    expect(matches).toHaveLength(2)
    expect(notes[0]).toMatch(/^refused: .*b\.yml:4:\d+: The condition names "t"/)
    expect(notes.slice(1, 3)).toEqual([2, 3].map((line) => `line ${line} is passed over: it is no JSON object`))
  })
})

const PACK = new URL('../../../../../rules', import.meta.url).pathname
const ORG = '11111111-1111-4111-8111-111111111111'
const NOON = Date.parse('2026-03-02T12:00:00Z')
let next = 0

const failure = (principalId: string, t: number, more: object = {}): object => ({
  id: `e${next++}`,
  timestamp: new Date(t).toISOString(),
  receivedAt: new Date(t).toISOString(),
  organizationId: ORG,
  action: 'auth.login.failure',
  status: 'failure',
  outcome: 'failure',
  category: 'authentication',
  operation: 'login',
  dataClassification: 'INTERNAL',
  integrity: 'absent',
  source: { format: 'tocsin', name: 'test' },
  principalId,
  ...more,
})
const without = (event: object, ...keys: string[]): object =>
  Object.fromEntries(Object.entries(event).filter(([key]) => !keys.includes(key)))
const many = (count: number, each: (n: number) => object): object[] => Array.from({ length: count }, (_, n) => each(n))

interface Told {
  readonly rule: { readonly id: string }
  readonly [key: string]: unknown
}

async function alertsOf(events: readonly object[], more: Partial<BacktestOptions> = {}) {
  const file = join(folder, 'canonical.ndjson')
  writeFileSync(file, events.map((event) => JSON.stringify(event)).join('\n'))
  const { output, results, notes } = collect()
  expect(await backtest({ rules: [PACK], events: file, print: 'alerts', now: NOON, output, ...more })).toBe(0)
  return { alerts: results.map((line) => JSON.parse(line) as Told), notes }
}

describe('tocsin rules backtest --alerts', () => {
  it('prints the last figures of each alert, by the arrival that the events tell', async () => {
    const { alerts } = await alertsOf([
      ...many(20, (n) => failure('u1', NOON + n * 2500)),
      ...many(8, (n) => failure('u2', NOON - 3_600_000 + n, { receivedAt: new Date(NOON + 60_000).toISOString() })),
    ])
    expect(alerts).toMatchObject([
      { rule: { id: 'tocsin.failed-auth' }, group: { principalId: 'u1' }, count: 20, peak: 20, open: false, backfilled: false },
      { rule: { id: 'tocsin.failed-auth' }, group: { principalId: 'u2' }, count: 8, backfilled: true },
    ])
  })

  it('takes the highest timestamp so far where no arrival is told, and a default organization where none is named', async () => {
    const events = many(5, (n) => without(failure('u1', NOON + n), 'receivedAt', 'organizationId', 'integrity', 'source'))
    const { alerts } = await alertsOf([...events, ...many(1, () => without(failure('u1', NOON - 3_600_000), 'receivedAt'))])
    expect(alerts).toMatchObject([
      { count: 5, createdAt: '2026-03-02T12:00:00.004Z', organizationId: '00000000-0000-4000-8000-000000000000' },
    ])
  })

  it('names the same alerts as the engine that read the same records', async () => {
    const events = many(300, (n) =>
      failure(`u${n % 7}`, NOON + ((n * 7919) % 2000) * 1000, { receivedAt: new Date(NOON + n * 7000).toISOString() }),
    )
    const set = readRules([PACK])
    const run = new BacktestRun({ rules: set.rules, settingsOf: () => ({}), topic: 'canonical.ndjson' })
    const tally = new Tally()
    for (const [n, event] of events.entries()) {
      const view = parsedEvent(event as AuditEvent)
      tally.add(run.take({ event: view, appendTime: Date.parse(view.event.receivedAt), line: n + 1 }))
    }
    for (const changes of run.end()) tally.add(changes)
    const { alerts } = await alertsOf(events)
    expect(alerts.length).toBeGreaterThan(5)
    expect(alerts).toEqual(tally.alerts())
  })

  it('applies the settings of organizations, and tells the alerts at other thresholds', async () => {
    const events = many(10, (n) => failure('u1', NOON + n))
    expect((await alertsOf(events)).notes.join('\n')).toMatch(/alerts by threshold: 1 at 0\.5 ×, 1 at 1 ×, 1 at 2 ×, 0 at 4 ×/)
    const settings = join(folder, 'settings.json')
    writeFileSync(settings, JSON.stringify({ [ORG]: { failedAuthThreshold: 11 }, '*': {} }))
    const { alerts, notes } = await alertsOf(events, { settings })
    expect(alerts).toEqual([])
    expect(notes.join('\n')).toMatch(/1 at 0\.5 ×, 0 at 1 ×, 0 at 2 ×/)
    writeFileSync(settings, JSON.stringify({ failedAuthThreshold: 0 }))
    await expect(alertsOf(events, { settings })).rejects.toThrow(/failedAuthThreshold/)
  })

  it('takes events as they are with --format raw, whatever the logsource', async () => {
    const rules = folderOf({ 'a.yml': `${rule('r1', '{ verb: delete }')}x-tocsin: { subject: user.name }\n` })
    const events = [
      { verb: 'delete', user: { name: 'ann' }, requestReceivedTimestamp: '2026-03-02T12:00:00.5Z' },
      { verb: 'delete', user: { name: 'ann' } },
      { verb: 'get', user: { name: 'ann' } },
      { verb: 'delete' },
    ]
    const { alerts, notes } = await alertsOf(events, { rules: [rules], format: 'raw' })
    expect(alerts).toMatchObject([
      { rule: { id: 'r1' }, group: { name: 'ann' }, count: 2, firstSeen: '2026-03-02T12:00:00.500Z' },
    ])
    expect(notes.join('\n')).toMatch(/unattributed 1/)
    expect((await alertsOf(events, { rules: [rules] })).alerts).toEqual([])
  })

  it('maps sshd and CloudTrail as ingest does', async () => {
    const file = join(folder, 'auth.log')
    const lines = many(6, (n) => ({ n })).map(
      (_, n) => `Dec 10 06:55:4${n} host sshd[1]: Failed password for root from 10.0.0.1 port ${n} ssh2`,
    )
    writeFileSync(file, lines.join('\n'))
    const { alerts } = await alertsOf([], { events: file, year: 2025 })
    expect(alerts).toMatchObject([{ group: { principalId: 'root' }, count: 6, firstSeen: '2025-12-10T06:55:40.000Z' }])
    const { output, results } = collect()
    const record = {
      eventTime: '2026-03-02T12:00:00Z',
      eventName: 'StopLogging',
      eventSource: 'cloudtrail.amazonaws.com',
      eventID: 'c1',
    }
    writeFileSync(file, `${JSON.stringify(record)}\n{"eventTime":1,"eventName":"x","eventSource":"y"}\n`)
    const rules = folderOf({
      'a.yml': rule('r1', '{ eventName: StopLogging }').replace('product: elsewhere', 'product: aws, service: cloudtrail'),
      'b.yml': rule('r2', '{ eventName: StopLogging }'),
    })
    await backtest({ rules: [rules], events: file, print: 'matches', now: 0, output })
    expect(results).toEqual(['{"ruleId":"r1","eventId":"c1","line":1}'])
  })
})

describe('tocsin rules lint', () => {
  it('prints every fault with its place and exits 1', () => {
    const rules = folderOf({
      'a.yml': `${rule('r1', '{ a|sounds: x, b: 1 }')}level: severe\n`,
      'b.yml': rule('r2', "{ a|re: '(?=x)' }", 's or t'),
    })
    const { output, results, notes } = collect()
    expect(lintRules([rules], output)).toBe(1)
    expect(results.map((line) => line.slice(rules.length + 1))).toEqual([
      'a.yml:4:19: The modifier "sounds" is not known.',
      'a.yml:5:8: "level" must be one of informational, low, medium, high, critical.',
      'b.yml:4:25: A lookahead cannot run in linear time and is not supported in regular expressions.',
      'b.yml:4:52: The condition names "t", which is not a selection of this rule.',
    ])
    expect(notes.at(-1)).toBe('2 files, 0 rules, 4 faults')
  })

  it('notes an idle rule and exits 0', () => {
    const { output, results, notes } = collect()
    expect(lintRules([join(folderOf({ 'a.yml': rule('r1', '{ a: 1 }') }), 'a.yml')], output)).toBe(0)
    expect(results).toEqual([])
    expect(notes[0]).toMatch(/a\.yml:3:1: note: no source gives events of elsewhere, so the rule is idle\.$/)
  })
})

describe('tocsin rules test', () => {
  const tested = (count: number): string =>
    `${rule('r1', '{ action: app.delete }').replace('elsewhere', 'tocsin')}x-tocsin:\n  tests:\n    - name: deletions are told\n      events: [{ action: app.delete, principalId: u1, repeat: 3, every: 1s }]\n      alerts: [{ count: ${count}, group: { principalId: u1 } }]\n`

  it('prints each test and exits 0 when all have passed', () => {
    const { output, results, notes } = collect()
    expect(testRules([folderOf({ 'a.yml': tested(3) })], output)).toBe(0)
    expect(results).toEqual(['ok  r1: deletions are told'])
    expect(notes).toEqual(['1 passed, 0 failed, 0 rules without tests, 0 faults'])
  })

  it('prints the difference and exits 1 when one has failed or a rule cannot run', () => {
    const { output, results } = collect()
    expect(testRules([folderOf({ 'a.yml': tested(4) })], output)).toBe(1)
    expect(results).toEqual(['failed  r1: deletions are told', '        alert 1, count: 4 is expected, it is 3'])
    expect(testRules([folderOf({ 'a.yml': rule('r1', '{ a: 1 }', 'no') })], output)).toBe(1)
  })

  it('passes the built-in pack', () => {
    const { output, notes } = collect()
    expect(testRules([PACK], output)).toBe(0)
    expect(notes[0]).toMatch(/^[1-9]\d* passed, 0 failed, 0 rules without tests, 0 faults$/)
  })
})

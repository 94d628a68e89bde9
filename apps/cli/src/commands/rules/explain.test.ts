import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Output } from '../../output.ts'
import { explain } from './explain.ts'

const folder = mkdtempSync(join(tmpdir(), 'tocsin-explain-'))
afterAll(() => rmSync(folder, { recursive: true }))

const FAILED_AUTH = new URL('../../../../../rules/failed-auth.yml', import.meta.url).pathname
const RULE = `title: Logging was stopped
id: r1
logsource: { product: aws, service: cloudtrail }
detection:
  selection: { eventName: StopLogging, userIdentity.type|cased: Root }
  filter: { userAgent|contains: terraform }
  condition: selection and not filter
`

function explained(rule: string, events: readonly object[] | string, more: { format?: string; settings?: object } = {}) {
  const [event, settings] = [join(folder, 'event.json'), join(folder, 'settings.json')]
  writeFileSync(event, typeof events === 'string' ? events : events.map((each) => JSON.stringify(each)).join('\n'))
  writeFileSync(settings, JSON.stringify(more.settings ?? {}))
  const lines: string[] = []
  const output: Output = { result: (text) => lines.push(text), note: (text) => lines.push(`note: ${text}`) }
  const code = explain({ rule, event, settings, format: more.format, now: Date.parse('2026-03-02T12:00:00Z'), output })
  return { code, lines, text: lines.join('\n') }
}

function ruleFile(text: string): string {
  const file = join(folder, 'rule.yml')
  writeFileSync(file, text)
  return file
}

const record = (more: object = {}): object => ({
  eventTime: '2026-03-02T12:00:00Z',
  eventName: 'StopLogging',
  eventSource: 'cloudtrail.amazonaws.com',
  eventID: 'c1',
  userIdentity: { type: 'root', arn: 'arn:aws:iam::1:root' },
  ...more,
})
const failure = (second: number, more: object = {}): object => ({
  id: `f${second}`,
  timestamp: new Date(Date.parse('2026-03-02T12:00:00Z') + second * 1000).toISOString(),
  action: 'auth.login.failure',
  status: 'failure',
  principalId: 'u1',
  ...more,
})

describe('tocsin rules explain', () => {
  it('says of each node whether it passed and what the event has there', () => {
    const { code, lines } = explained(ruleFile(RULE), `${JSON.stringify({ Records: [record()] }, null, 2)}\n`)
    expect(code).toBe(0)
    expect(lines).toEqual([
      'rule r1: Logging was stopped',
      'event c1 (1)',
      '  - Logging was stopped',
      '    + logsource: aws/cloudtrail   source is "cloudtrail", category "configuration"',
      '    - all of',
      '      - selection: all of',
      '        + eventName: StopLogging   eventName is "StopLogging"',
      '        - userIdentity.type|cased: Root   userIdentity.type is "root": it differs in case only',
      '      + not',
      '        - filter',
      '          - userAgent|contains: terraform   userAgent is absent',
      '  group by principalId ("arn:aws:iam::1:root"), else ipAddress (absent), else sessionId (absent)',
      'no alert: no event counts.',
      'of 1 events: none counted',
    ])
  })

  it('says that the source is another', () => {
    const { text } = explained(ruleFile(RULE), [failure(0)])
    expect(text).toMatch(/- logsource: aws\/cloudtrail {3}source is "tocsin", category "authentication"/)
  })

  it('says how far the windows of all events came, under the settings given', () => {
    const four = [failure(0), failure(10), failure(20), failure(400), failure(30), failure(30)]
    expect(explained(FAILED_AUTH, four).text).toMatch(/no alert: window 4 of 5 within 300 s; group \{"principalId":"u1"\}/)
    expect(explained(FAILED_AUTH, four).text).toMatch(/of 6 events: counted 5, duplicate 1/)
    const told = explained(FAILED_AUTH, four, { settings: { failedAuthThreshold: 3 } }).text
    expect(told).toMatch(/alert: HIGH .*u1, 4 events; window 3 of 3 within 300 s at its first true moment, 4 at most/)
    expect(told).not.toMatch(/no alert/)
    expect(explained(FAILED_AUTH, [failure(0)], { settings: { failedAuthThreshold: 9 } }).text).toMatch(/window 1 of 9/)
  })

  it('says that an event has nobody to be counted for', () => {
    const { text } = explained(FAILED_AUTH, [failure(0, { principalId: undefined })])
    expect(text).toMatch(/group by principalId \(absent\), else ipAddress \(absent\)/)
    expect(text).toMatch(/of 1 events: unattributed 1/)
  })

  it('takes any event with --format raw, and exits 1 when the rule cannot run', () => {
    expect(
      explained(ruleFile(RULE), [{ eventName: 'StopLogging', userIdentity: { type: 'Root' } }], { format: 'raw' }).text,
    ).toMatch(/\+ Logging was stopped/)
    const { code, lines } = explained(ruleFile(RULE.replace('not filter', 'not filters')), [failure(0)])
    expect([code, lines[0]]).toEqual([
      1,
      `refused: ${folder}/rule.yml:7:32: The condition names "filters", which is not a selection of this rule.`,
    ])
  })
})

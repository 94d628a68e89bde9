/** Real logs through the front door, compared with a recomputation that knows nothing of the engine. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Alert, OrganizationCreated } from '@tocsin/contracts'
import { waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Expected, expectedAlerts } from '../src/expected-failed-auth.ts'
import { allAlerts, messages, post, subscribe } from '../src/installation.ts'
import { sshdFailures } from '../src/sshd-failures.ts'
import { type OwnStack, startOwnStack } from '../src/stack.ts'

const DATA = join(import.meta.dirname, '../../../shared/data')
const LINES_A_PIECE = 300
const present = existsSync(DATA)
if (!present) console.warn(`real input: skipped, there is no ${DATA}`)

const figuresOf = (alert: Alert): Expected => ({
  rule: alert.rule.id.replace('tocsin.', '') as Expected['rule'],
  group: Object.values(alert.group)[0] ?? '',
  firstSeen: Date.parse(alert.firstSeen),
  lastSeen: Date.parse(alert.lastSeen),
  count: alert.count,
  peak: alert.peak,
})
const order = (list: readonly Expected[]) => list.map((each) => JSON.stringify(each, Object.keys(each).sort())).sort()

describe.skipIf(!present)('real input', () => {
  let stack: OwnStack
  let tenant: OrganizationCreated
  beforeAll(async () => {
    stack = await startOwnStack()
    tenant = await stack.tenant('openssh')
  })
  afterAll(async () => stack?.stop())

  async function sendLog(log: string): Promise<string[]> {
    const lines = log.split('\n').filter((line) => line !== '')
    const statuses: string[] = []
    for (let from = 0; from < lines.length; from += LINES_A_PIECE) {
      const answer = await post(stack.gatewayUrl, tenant.ingestKey, lines.slice(from, from + LINES_A_PIECE).join('\n'), {
        query: '?format=sshd&year=2025',
        type: 'text/plain',
      })
      expect(answer.status).toBe(202)
      statuses.push(...answer.body.results.map((result) => result.status))
    }
    return statuses
  }

  test('2,000 sshd lines give the alerts of the specification in the database, on the socket and in the mailbox; sending them again adds nothing', async () => {
    const log = readFileSync(join(DATA, 'openssh_2k.log'), 'utf8')
    const failures = sshdFailures(log, 2025)
    expect(failures).toHaveLength(528)
    const expected = expectedAlerts(failures)
    const socket = await subscribe(stack.gatewayUrl, tenant)

    expect(new Set(await sendLog(log))).toEqual(new Set(['accepted']))
    const figures = async () => order((await allAlerts(stack.gatewayUrl, tenant)).map(figuresOf))
    // The last figures follow 10 s of log time after the last event, by ticks. Where they never come, the comparison below says how.
    await waitFor(async () => (await figures()).join() === order(expected).join(), {
      limitMs: 60_000,
      what: 'the last figures',
    }).catch(() => {})
    const alerts = await allAlerts(stack.gatewayUrl, tenant)
    expect(order(alerts.map(figuresOf))).toEqual(order(expected))
    expect(
      await stack.rows('select count(*)::int as rows from alerts where organization_id = $1', [tenant.organizationId]),
    ).toEqual([{ rows: expected.length }])
    const ids = alerts.map((alert) => alert.id).sort()
    const created = () =>
      socket.received.flatMap((message) => (message.type === 'alert_created' ? [message.alert.id] : [])).sort()
    await waitFor(() => created().length >= ids.length, { limitMs: 10_000, what: 'the socket' })
    expect(created()).toEqual(ids)
    const mailed = async () =>
      (await messages(stack.mailboxUrl)).filter((message) => message.kind === 'mail' && message.to === 'openssh@example.org')
    const told = async () => (await mailed()).map((mail) => ids.find((id) => mail.text.includes(id)))
    await waitFor(async () => new Set(await told()).size >= ids.length, { limitMs: 30_000, what: 'a mail for each alert' })

    const mails = (await mailed()).length
    expect(new Set(await sendLog(log))).toEqual(new Set(['duplicate']))
    // An alert that is raised after the second sending shows that the path is through with it.
    const now = Date.now()
    const marker = Array.from({ length: 5 }, (_, n) => ({
      id: `m${n}`,
      timestamp: new Date(now).toISOString(),
      principalId: 'marker',
      action: 'auth.login',
      status: 'failure',
    }))
    await post(stack.gatewayUrl, tenant.ingestKey, JSON.stringify(marker))
    await waitFor(async () => (await mailed()).some((mail) => mail.text.includes('marker')), {
      limitMs: 20_000,
      what: 'the marker',
    })
    expect(await allAlerts(stack.gatewayUrl, tenant)).toHaveLength(expected.length + 1)
    expect(created()).toHaveLength(expected.length + 1)
    expect(await mailed()).toHaveLength(mails + 1)
  })

  test('the CloudTrail recordings are accepted whole', async () => {
    const aws = await stack.tenant('aws')
    const folder = join(DATA, 'cloudtrail')
    for (const file of readdirSync(folder)) {
      const text = readFileSync(join(folder, file), 'utf8')
      const records = JSON.parse(text) as unknown[]
      const answer = await post(stack.gatewayUrl, aws.ingestKey, text, { query: '?format=cloudtrail' })
      expect([file, answer.status, answer.body.results.filter((result) => result.status === 'rejected')]).toEqual([file, 202, []])
      expect(answer.body.results).toHaveLength(records.length)
      const wrapped = await post(stack.gatewayUrl, aws.ingestKey, JSON.stringify({ Records: records }))
      expect([file, wrapped.status, new Set(wrapped.body.results.map((result) => result.status))]).toEqual([
        file,
        202,
        new Set(['duplicate']),
      ])
    }
  })
})

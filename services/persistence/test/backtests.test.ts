import { randomUUID } from 'node:crypto'
import { issueToken } from '@tocsin/access'
import { type AuditEvent, type Backtest, HEADERS, TOPICS } from '@tocsin/contracts'
import { waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BacktestJobs } from '../src/backtests/backtest-jobs.ts'
import type { BacktestTask } from '../src/backtests/backtest-task.ts'
import { createStreamWorld, type Instance, PARTITIONS, type StreamWorld } from './stream-world.ts'
import { silent } from './world.ts'

type Organization = Awaited<ReturnType<StreamWorld['newOrganization']>>
const LIMIT_MS = 60_000
/** Stands in every event of the other organization. */
const CANARY = 'canary-71d0'
/** Three deletions of one person within five minutes. */
const RULE = `title: Deletion
name: deletion
level: informational
logsource: { product: tocsin }
detection: { s: { action: app.delete }, condition: s }
---
title: Many deletions
level: high
correlation: { type: event_count, rules: [deletion], group-by: [principalId], timespan: 5m, condition: { gte: 3 } }
x-tocsin: { id: many-deletions }
`

let world: StreamWorld
let instance: Instance
let acme: Organization
let neighbour: Organization

beforeAll(async () => {
  world = await createStreamWorld()
  instance = await world.start()
  acme = await world.newOrganization(instance, 'Acme')
  for (let n = 0; n < PARTITIONS; n++) neighbour = await world.newOrganization(instance, `Neighbour ${n}`)
  expect(neighbour.partition).toBe(acme.partition)
})
afterAll(() => world.close())

const deletion = (organizationId: string, principalId: string): AuditEvent => ({
  id: randomUUID(),
  timestamp: new Date().toISOString(),
  receivedAt: new Date().toISOString(),
  organizationId,
  action: 'app.delete',
  status: 'success',
  outcome: 'success',
  category: 'data',
  operation: 'delete',
  dataClassification: 'INTERNAL',
  integrity: 'absent',
  source: { format: 'tocsin', product: 'tocsin', name: 'test' },
  principalId,
})
const deletions = (count: number, organizationId: string, principalId: string) =>
  Array.from({ length: count }, () => deletion(organizationId, principalId))
const linesOf = (events: readonly object[]) => events.map((event) => JSON.stringify(event)).join('\n')
const send = (key: string, events: readonly AuditEvent[]) =>
  world.producer.send(
    events.map((event) => ({
      topic: TOPICS.auditEvents.name,
      partition: acme.partition,
      key,
      value: JSON.stringify(event),
      headers: { [HEADERS.type]: 'event' },
    })),
  )

const ask = (method: string, path: string, body?: object, as = acme) => world.ask(instance, method, path, as.token, body)
const started = async (body: object): Promise<Backtest> => {
  const answer = await ask('POST', '/api/rules/backtest', body)
  expect([answer.status, answer.body]).toEqual([202, expect.objectContaining({ state: 'running' })])
  return answer.body as unknown as Backtest
}
const ended = (id: string) =>
  waitFor(
    async () => {
      const { status, body } = await ask('GET', `/api/rules/backtests/${id}`)
      const backtest = body as unknown as Backtest
      return status === 200 && backtest.state !== 'running' ? backtest : undefined
    },
    { limitMs: LIMIT_MS, what: 'the end of a backtest' },
  )

test('of the events of a partition that organizations share, only its own reach a backtest', async () => {
  const a = acme.organizationId
  const b = neighbour.organizationId
  await send(b, deletions(5, b, CANARY))
  await send(a, [...deletions(4, a, 'ada'), ...deletions(2, a, 'bob')])
  // Neither what says another organization inside, nor what was written under another's key.
  await send(a, deletions(5, b, CANARY))
  await send(b, deletions(5, a, 'bob'))
  const { id } = await started({ content: RULE, hours: 1 })
  const done = await ended(id)
  expect(done).toMatchObject({
    ruleId: 'many-deletions',
    state: 'done',
    error: null,
    progress: { share: 1 },
    result: {
      alerts: 1,
      perDay: 24,
      passedOver: 0,
      byThreshold: { '0.5': 2, '1': 1, '2': 0, '4': 0 },
      sample: [{ severity: 'HIGH', group: { principalId: 'ada' }, count: 4 }],
    },
  })
  expect(JSON.stringify(done)).not.toContain(CANARY)
  // Six that were sent, and what Tocsin itself tells of the organization.
  const others = (done.result?.events ?? 0) - 6
  expect([others > 0, others < 5]).toEqual([true, true])
})

test('a saved rule is tried on events in the body; those of another organization are passed over', async () => {
  await ask('PUT', '/api/rules/many-deletions', { content: RULE, reason: 'a test' })
  await ask('PUT', '/api/rules/many-deletions', { content: RULE.replace('gte: 3', 'gte: 30'), reason: 'a test' })
  const { id: _, receivedAt: __, organizationId: ___, ...unnamed } = deletion(acme.organizationId, 'ada')
  const events = `${linesOf([...deletions(2, acme.organizationId, 'ada'), unnamed, ...deletions(3, neighbour.organizationId, CANARY)])}\nno event`
  const first = await ended((await started({ ruleId: 'many-deletions', version: 1, events })).id)
  expect(first.result).toMatchObject({ alerts: 1, events: 3, passedOver: 4 })
  const draft = await ended((await started({ ruleId: 'many-deletions', events })).id)
  expect(draft.result).toMatchObject({ alerts: 0, events: 3 })
  const told = await world.admin<{ actor: string; about_id: string }>(
    `SELECT actor, about_id FROM history WHERE organization_id = $1 AND action = 'rule.backtested'`,
    [acme.organizationId],
  )
  expect(told).toHaveLength(3)
  expect(told[0]).toEqual({ actor: expect.any(String), about_id: 'many-deletions' })
})

test('an organization has one at a time, which it can cancel, and which is nobody else’s', async () => {
  const events = linesOf(deletions(2_000, acme.organizationId, 'ada'))
  const { id } = await started({ content: RULE, events })
  const second = await ask('POST', '/api/rules/backtest', { content: RULE, events })
  expect([second.status, second.body]).toEqual([409, expect.objectContaining({ code: 'BACKTEST_RUNNING', running: id })])
  for (const method of ['GET', 'DELETE'])
    expect((await ask(method, `/api/rules/backtests/${id}`, undefined, neighbour)).status).toBe(404)
  const cancelled = await ask('DELETE', `/api/rules/backtests/${id}`)
  expect([cancelled.status, cancelled.body]).toEqual([200, expect.objectContaining({ state: 'cancelled', result: null })])
  const next = await started({ content: RULE, events })
  expect(await ended(next.id)).toMatchObject({ state: 'done' })
  expect((await ask('DELETE', `/api/rules/backtests/${next.id}`)).body).toMatchObject({ state: 'done' })
})

test('what is no rule, is not there, or leaves open what is meant is refused', async () => {
  const refused = async (body: object) => {
    const answer = await ask('POST', '/api/rules/backtest', body)
    return [answer.status, answer.body['code']]
  }
  expect(await refused({ content: 'title: [', hours: 1 })).toEqual([422, 'RULE_REFUSED'])
  expect(await refused({ ruleId: 'nobody', hours: 1 })).toEqual([404, 'NOT_FOUND'])
  expect(await refused({ ruleId: 'many-deletions', version: 9, hours: 1 })).toEqual([404, 'NOT_FOUND'])
  for (const body of [{ hours: 1 }, { content: RULE }, { content: RULE, hours: 1, events: 'x' }, { content: RULE, hours: 169 }])
    expect(await refused(body)).toEqual([400, 'INVALID_REQUEST'])
})

test('who may not write rules may not run one', async () => {
  await world.admin('INSERT INTO subjects (subject, version) VALUES ($1, 1)', ['vic'])
  await world.admin(`INSERT INTO memberships (subject, organization_id, role) VALUES ('vic', $1, 'responder')`, [
    acme.organizationId,
  ])
  const token = await issueToken(world.ring, { subject: 'vic', ttlSeconds: 600 })
  const answer = await world.ask(instance, 'POST', '/api/rules/backtest', token, { content: RULE, hours: 1 })
  expect(answer.status).toBe(403)
})

describe('the limits of an instance', () => {
  const taskOf = (organizationId: string): BacktestTask => ({
    rule: { ruleId: 'many-deletions', content: RULE },
    organizationId,
    settings: {},
    events: { kind: 'given', text: linesOf(deletions(10, organizationId, 'ada')), now: Date.now() },
  })
  const failureOf = async (limits: { readonly limitMs?: number; readonly heapMb?: number }, over: Partial<BacktestTask> = {}) => {
    const jobs = new BacktestJobs({ log: silent, ...limits })
    const organizationId = randomUUID()
    const { id } = jobs.start({ ...taskOf(organizationId), ...over })
    const failed = await waitFor(
      async () => {
        const job = jobs.find(organizationId, id)
        return job?.state === 'running' ? undefined : job
      },
      { limitMs: LIMIT_MS, what: 'the end of a backtest' },
    )
    await jobs.close()
    return failed
  }

  test('one that takes longer than it may is ended', async () => {
    expect(await failureOf({ limitMs: 20 })).toMatchObject({ state: 'failed', error: { code: 'BACKTEST_TOO_SLOW' } })
  })

  test('one that takes more memory than it may is ended', async () => {
    expect(await failureOf({ heapMb: 8 })).toMatchObject({ state: 'failed', error: { code: 'BACKTEST_TOO_LARGE' } })
  })

  test('one whose events cannot be read at the moment says so', async () => {
    const cluster = { brokers: '127.0.0.1:1', prefix: '' }
    const events = { kind: 'kept', cluster, partition: 0, since: Date.now() } as const
    expect(await failureOf({}, { events })).toMatchObject({ state: 'failed', error: { code: 'UNAVAILABLE' } })
  })

  test('a third at once waits for its turn elsewhere', async () => {
    const jobs = new BacktestJobs({ log: silent })
    jobs.start(taskOf(randomUUID()))
    jobs.start(taskOf(randomUUID()))
    expect(() => jobs.start(taskOf(randomUUID()))).toThrow(expect.objectContaining({ status: 503, problemCode: 'BUSY' }))
    await jobs.close()
  })
})

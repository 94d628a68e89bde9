import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { engineRecordOf } from '@tocsin/backtest/topic-range'
import { type AuditEvent, HEADERS, type RuleRecord, TOPICS } from '@tocsin/contracts'
import { type AlertChange, compileRule, PartitionEngine } from '@tocsin/engine'
import { createKafka, createProducer, ensureTopics, type OutgoingRecord, readToEnd } from '@tocsin/kafka'
import { testInfrastructure, uniquePrefix } from '@tocsin/testing'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { backtest } from '../src/commands/rules/backtest.ts'
import type { Output } from '../src/output.ts'
import { withRange } from '../src/rules/cluster.ts'

const ORG = '11111111-1111-4111-8111-111111111111'
const TOPIC = TOPICS.auditEvents.name
const FAILED_AUTH = new URL('../../../rules/failed-auth.yml', import.meta.url).pathname

const ofType = (type: string, value: object): OutgoingRecord => ({
  topic: TOPIC,
  partition: 0,
  key: ORG,
  value: JSON.stringify(value),
  headers: { [HEADERS.type]: type },
})

function failure(n: number): OutgoingRecord {
  const time = new Date(Date.now()).toISOString()
  const event: AuditEvent = {
    id: `e${n}`,
    timestamp: time,
    receivedAt: time,
    organizationId: ORG,
    action: 'auth.login.failure',
    status: 'failure',
    outcome: 'failure',
    category: 'authentication',
    operation: 'login',
    dataClassification: 'INTERNAL',
    integrity: 'absent',
    source: { format: 'tocsin', name: 'test' },
    principalId: `u${n % 3}`,
  }
  return ofType('event', event)
}

function rule(): OutgoingRecord {
  const content = readFileSync(FAILED_AUTH, 'utf8')
  const hash = createHash('sha256').update(content).digest('hex')
  const record: RuleRecord = { ruleId: 'tocsin.failed-auth', organizationId: null, version: 1, hash, state: 'active', content }
  return ofType('control', { kind: 'rule', rule: record })
}

/** A log: the rule, 60 failures of three users with ticks among them, things that the detector sets aside. */
async function aLog() {
  const { kafkaBrokers: brokers } = testInfrastructure()
  const prefix = uniquePrefix()
  const kafka = createKafka({ brokers, clientId: 'cli-test', prefix, log: pino({ level: 'silent' }) })
  await ensureTopics(kafka, [TOPICS.auditEvents, TOPICS.tenants], { partitions: 1, replication: 1 })
  const producer = createProducer(kafka)
  await producer.send([rule(), ofType('event', { not: 'an event' }), ofType('tick', { at: new Date().toISOString() })])
  for (let n = 0; n < 60; n += 5) await producer.send([0, 1, 2, 3, 4].map((each) => failure(n + each)))
  await producer.close()
  // What the detector would have said, record by record.
  const said = new Map<bigint, AlertChange[]>()
  const engine = new PartitionEngine({ topic: TOPIC, partition: 0, compile: compileRule })
  await readToEnd({
    kafka,
    topic: TOPIC,
    onRecord: (each) => {
      const record = engineRecordOf(each)
      if (record !== undefined) said.set(each.offset, engine.process(record))
    },
  })
  await kafka.close()
  const from = (offset: bigint) => [...said].flatMap(([at, changes]) => (at >= offset ? changes : []))
  return { brokers, prefix, from }
}

function collect() {
  const results: string[] = []
  const notes: string[] = []
  const output: Output = { result: (text) => results.push(...text.split('\n')), note: (text) => notes.push(text) }
  return { output, results, notes }
}

describe('tocsin rules backtest of a range of offsets', () => {
  it('replays what the detector said in it, and names the alerts that are open at its start', async () => {
    const { brokers, prefix, from } = await aLog()
    const { output, results, notes } = collect()
    const range = { brokers, prefix, partition: 0, from: 30n }
    await withRange(range, (events) => backtest({ events, print: 'changes', now: 0, output }))
    expect(results.map((line) => JSON.parse(line) as unknown)).toEqual(JSON.parse(JSON.stringify(from(30n))))
    expect(results.length).toBeGreaterThan(3)
    expect(notes.filter((note) => note.startsWith('open at the start'))).toHaveLength(3)
    expect(notes.join('\n')).toMatch(/read from offset 0, told from 30/)
  })

  it('tries other rules over the same events, and ends with its last offset', async () => {
    const { brokers, prefix, from } = await aLog()
    const { output, results, notes } = collect()
    await withRange({ brokers, prefix, partition: 0, to: 33n }, (events) =>
      backtest({ rules: [FAILED_AUTH], events, print: 'alerts', now: 0, output }),
    )
    const alerts = results.map((line) => JSON.parse(line) as { id: string; count: number })
    const created = from(0n).filter(({ type }) => type === 'alert.created')
    expect(alerts.map(({ id }) => id)).toEqual(created.map(({ alert }) => alert.id))
    expect(alerts.map(({ count }) => count)).toEqual([10, 10, 10])
    expect(notes.join('\n')).toMatch(/3 at 1 ×/)
  })

  it('refuses a range that is not in the log', async () => {
    const { brokers, prefix } = await aLog()
    const { output } = collect()
    const run = (place: { from?: bigint; partition: number }) =>
      withRange({ brokers, prefix, ...place }, (events) => backtest({ events, now: 0, output }))
    await expect(run({ partition: 0, from: 9_999n })).rejects.toThrow(/is not in the log, which has 0 to 6\d/)
    await expect(run({ partition: 7, from: 0n })).rejects.toThrow(/no partition 7/)
  })
})

import { join } from 'node:path'
import { ALL_TOPICS, TOPICS } from '@tocsin/contracts'
import { createKafka, createProducer, ensureTopics } from '@tocsin/kafka'
import { migrate, withConnection } from '@tocsin/postgres'
import { createTestDatabase, type TestDatabase, testInfrastructure, uniquePrefix } from '@tocsin/testing'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { OffsetOwner } from '../src/commands/offset-owners.ts'
import { resetOffsets } from '../src/commands/reset-offsets.ts'

const SERVICES = join(import.meta.dirname, '../../../services')
const log = pino({ level: 'silent' })
const topic = TOPICS.alerts.name
const prefix = uniquePrefix()
let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
  for (const service of ['persistence', 'notifier'])
    await migrate(database.urls.tocsin_owner, { directory: join(SERVICES, service, 'migrations'), schema: service, log })
  const kafka = createKafka({
    brokers: testInfrastructure().kafkaBrokers,
    clientId: 'test',
    prefix,
    log: pino({ level: 'silent' }),
  })
  await ensureTopics(kafka, ALL_TOPICS, { partitions: 2, replication: 1 })
  const producer = createProducer(kafka)
  await producer.send([1, 2, 3].map((n) => ({ topic, partition: 1, key: 'k', value: String(n) })))
  await producer.close()
  await kafka.close()
})
afterAll(async () => database?.drop())

const urlOf = (service: OffsetOwner) => database.urls[service === 'notifier' ? 'tocsin_notifier' : 'tocsin_worker']
const rowsOf = (service: OffsetOwner) =>
  withConnection(urlOf(service), (queries) => queries('SELECT * FROM offsets WHERE topic = $1 ORDER BY partition', [topic]))
async function reset(service: OffsetOwner, yes: boolean) {
  const lines: string[] = []
  const output = { result: (text: string) => void lines.push(text), note: (text: string) => void lines.push(text) }
  const brokers = testInfrastructure().kafkaBrokers
  const code = await resetOffsets({ service, databaseUrl: urlOf(service), brokers, prefix, yes, output })
  return { code, lines }
}

test.each(['persistence', 'notifier'] as const)(
  '%s of another cluster reads the present log from its beginning, after the plan was confirmed',
  async (service) => {
    await withConnection(urlOf(service), (queries) =>
      queries("INSERT INTO offsets (topic, partition, next, cluster_id) VALUES ($1, 1, 77, 'another')", [topic]),
    )
    const plan = await reset(service, false)
    expect(plan.code).toBe(1)
    expect(plan.lines.join('\n')).toMatch(/alerts\/1 {2}77 of another -> 0 of /)
    expect(await rowsOf(service)).toMatchObject([{ partition: 1, cluster_id: 'another' }])

    expect((await reset(service, true)).code).toBe(0)
    const rows = await rowsOf(service)
    expect(rows.map((row) => [row['partition'], Number(row['next'])])).toEqual([
      [0, 0],
      [1, 0],
    ])
    expect(rows[1]?.['cluster_id']).not.toBe('another')
    // Nobody is told again of what the log holds already.
    if (service === 'notifier') expect(Number(rows[1]?.['notify_from'])).toBe(3)
  },
)

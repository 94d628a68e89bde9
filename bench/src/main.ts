/** `npm run bench -- NAME [--only PART,…] [--alerts N] [--events N] [--rounds N] [--peers DIR] [--data DIR] [--rsigma FILE] [--json FILE] [--docs]` */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startInfrastructure } from '@tocsin/local'
import type { BenchContext, Part } from './bench.ts'
import { DETECTOR_PARTS } from './detector.ts'
import { describe, describeMachine } from './machine.ts'
import { PERSISTENCE_PARTS } from './persistence.ts'
import { failedRow, hasFailed, type Row, tableOf, writeInto, writeResult } from './report.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LOCAL = join(ROOT, '.local')
const say = (line: string) => console.error(line)
const BENCHES: Readonly<Record<string, readonly Part[]>> = { detector: DETECTOR_PARTS, persistence: PERSISTENCE_PARTS }

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    alerts: { type: 'string', default: '5000000' },
    events: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    peers: { type: 'string', default: join(ROOT, '../shared/peers') },
    data: { type: 'string', default: join(ROOT, '../shared/data') },
    rsigma: { type: 'string' },
    json: { type: 'string' },
    docs: { type: 'boolean', default: false },
  },
})
const name = positionals[0] ?? ''
const all = (Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined) ?? []
const known = all.flatMap(({ names }) => names)
const only = values.only?.split(',') ?? known
if (all.length === 0 || only.some((part) => !known.includes(part))) {
  say(
    [
      'usage: npm run bench -- NAME [--only PART,…] [--alerts N] [--events N] [--rounds N] [--peers DIR] [--data DIR] [--rsigma FILE] [--json FILE] [--docs]',
      ...Object.entries(BENCHES).map(([each, of]) => `${each}: ${of.flatMap(({ names }) => names).join(', ')}`),
    ].join('\n'),
  )
  process.exit(1)
}
const parts = all.filter(({ names }) => names.some((part) => only.includes(part)))
const machine = describeMachine(
  `Apache Kafka 4.3, one node, with kafkajs 2.2.4${name === 'persistence' ? ', PostgreSQL 18 as npm start gives it' : ''}`,
)

mkdirSync(join(LOCAL, 'bench'), { recursive: true })
const needsDatabase = name === 'persistence'
const needsRedis = needsDatabase || only.includes('peers')
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort())
const infrastructure = await startInfrastructure({
  dir: mkdtempSync(join(LOCAL, 'bench-')),
  // An address that is given is not started.
  env: {
    ...process.env,
    ...(needsDatabase ? {} : { DATABASE_URL: 'not needed' }),
    ...(needsRedis ? {} : { REDIS_URL: 'not needed' }),
  },
  // What is written to PostgreSQL costs what it costs in earnest.
  durable: needsDatabase,
  temporary: true,
  say,
  signal: stopping.signal,
})
const context: BenchContext = {
  brokers: infrastructure.kafkaBrokers,
  redisUrl: infrastructure.redisUrl,
  databaseAdminUrl: infrastructure.databaseAdminUrl,
  alerts: Number(values.alerts),
  events: Number(values.events),
  rounds: Number(values.rounds),
  peers: resolve(values.peers),
  data: resolve(values.data),
  rsigma: values.rsigma,
  local: join(LOCAL, 'bench'),
  wanted: (part) => only.includes(part),
  say,
}
const rows: Row[] = []
const what: string[] = []
const stopped = new Promise<'stopped'>((done) => stopping.signal.addEventListener('abort', () => done('stopped')))
for (const part of parts) {
  const title = part.names.join(', ')
  say(`— ${title}`)
  try {
    const result = await Promise.race([part.run(context), stopped])
    if (result === 'stopped') break
    rows.push(...result.rows)
    what.push(result.what)
  } catch (error) {
    say((error as Error).stack ?? String(error))
    rows.push(failedRow(title, error))
  }
}
if (!stopping.signal.aborted) {
  const result = { bench: name, machine, what, rows }
  writeResult(result, [join(LOCAL, 'bench', `${name}.json`), ...(values.json === undefined ? [] : [resolve(values.json)])])
  if (values.docs) writeInto(join(ROOT, 'docs/benchmarks.md'), result)
  console.log(`${describe(machine)}\n${what.map((line) => `- ${line}`).join('\n')}\n\n${tableOf(rows)}`)
}
await infrastructure.stop()
process.exit(rows.some(hasFailed) || stopping.signal.aborted ? 1 : 0)

/** `npm run bench -- NAME [--json FILE] [--events N] [--rounds N]` */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startInfrastructure } from '@tocsin/local'
import { benchDetector } from './detector.ts'
import { describeMachine } from './machine.ts'
import { tableOf, writeResult } from './report.ts'

const LOCAL = fileURLToPath(new URL('../../.local', import.meta.url))
const say = (line: string) => console.error(line)
const BENCHES = { detector: benchDetector } as const

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, events: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '3' } },
})
const name = positionals[0]
const bench = name !== undefined && Object.hasOwn(BENCHES, name) ? BENCHES[name as keyof typeof BENCHES] : undefined
if (name === undefined || bench === undefined) {
  say(`usage: npm run bench -- NAME [--json FILE] [--events N] [--rounds N]\nNAME is one of: ${Object.keys(BENCHES).join(', ')}`)
  process.exit(1)
}

mkdirSync(LOCAL, { recursive: true })
const infrastructure = await startInfrastructure({
  dir: mkdtempSync(join(LOCAL, 'bench-')),
  // Kafka alone is needed; an address that is given is not started.
  env: { ...process.env, DATABASE_URL: 'not needed', REDIS_URL: 'not needed' },
  durable: false,
  temporary: true,
  say,
})
let failed = false
try {
  const { what, rows } = await bench({
    brokers: infrastructure.kafkaBrokers,
    events: Number(values.events),
    rounds: Number(values.rounds),
    say,
  })
  const machine = describeMachine('Apache Kafka 4.3, one node, with kafkajs 2.2.4')
  const files = [join(LOCAL, 'bench', `${name}.json`), ...(values.json === undefined ? [] : [resolve(values.json)])]
  writeResult({ bench: name, machine, what, rows }, files)
  const { cpu, cores, memoryGiB, system, node, kafka } = machine
  console.log(`${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}, ${kafka}\n${what}\n\n${tableOf(rows)}`)
} catch (error) {
  failed = true
  console.error(error)
}
await infrastructure.stop()
process.exit(failed ? 1 : 0)

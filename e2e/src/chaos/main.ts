/** `npm run chaos -- detector [--rounds 30] [--seed N] [--only NAME,…] [--rate EVENTS_PER_SECOND]` */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startInfrastructure } from '@tocsin/local'
import { type Outcome, play } from './play.ts'
import { SCENARIOS } from './scenarios.ts'

const LOCAL = join(import.meta.dirname, '../../../.local')
const begun = performance.now()
const say = (line: string) => console.error(`${((performance.now() - begun) / 1_000).toFixed(1).padStart(7)} s  ${line}`)

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string', default: Object.keys(SCENARIOS).join(',') },
    rate: { type: 'string', default: '200' },
  },
})
const [rounds, seed, rate] = [Number(values.rounds), Number(values.seed), Number(values.rate)]
const names = values.only.split(',')
const unknown = names.filter((name) => !Object.hasOwn(SCENARIOS, name))
if (positionals[0] !== 'detector' || unknown.length > 0 || ![rounds, seed, rate].every((n) => Number.isInteger(n) && n >= 0)) {
  console.error('usage: npm run chaos -- detector [--rounds 30] [--seed N] [--rate 200] [--only NAME,…]')
  for (const [name, { what }] of Object.entries(SCENARIOS)) console.error(`  ${name.padEnd(9)} ${what}`)
  process.exit(1)
}

mkdirSync(LOCAL, { recursive: true })
const infrastructure = await startInfrastructure({
  dir: mkdtempSync(join(LOCAL, 'chaos-')),
  // Kafka alone is needed, and one that may be killed.
  env: { DATABASE_URL: 'not needed', REDIS_URL: 'not needed' },
  durable: false,
  temporary: true,
  say,
})
const outcomes = new Map<string, Outcome>()
let failed = false
try {
  for (const name of names) {
    const scenario = SCENARIOS[name]
    if (scenario === undefined) continue
    say(`${name}, seed ${seed}: ${scenario.what}`)
    const evidence = join(LOCAL, 'chaos-evidence', `${name}-${seed}`)
    const outcome = await play(scenario, {
      infrastructure,
      seed,
      rounds: Math.max(1, Math.round(rounds * scenario.share)),
      eventsPerSecond: rate,
      evidence,
      say,
    })
    outcomes.set(name, outcome)
    for (const fault of outcome.faults.slice(0, 5)) say(`DIFFERENT ${fault.slice(0, 400)}`)
    if (outcome.faults.length > 0) {
      failed = true
      say(`${outcome.faults.length} faults; log, alerts and what was expected are kept in ${evidence}`)
    }
  }
} catch (error) {
  failed = true
  console.error(error)
}
await infrastructure.stop()

const COLUMNS = [
  ['records', 'records'],
  ['changes', 'distinct'],
  ['with repeats', 'published'],
  ['alerts', 'alerts'],
  ['processes', 'processes'],
  ['snapshots', 'snapshots'],
  ['restored', 'restored'],
  ['ahead', 'ahead'],
  ['refused', 'refused'],
  ['longest gap (s)', 'longestGap'],
] as const satisfies readonly (readonly [string, keyof Outcome])[]
const header = ['scenario', ...COLUMNS.map(([title]) => title), 'seconds', 'differences']
console.log(`| ${header.join(' | ')} |\n|${header.map(() => '---').join('|')}|`)
for (const [name, outcome] of outcomes) {
  const figures = COLUMNS.map(([, figure]) => outcome[figure].toLocaleString('en-US'))
  console.log(`| ${[name, ...figures, Math.round(outcome.seconds), outcome.faults.length].join(' | ')} |`)
}
console.log(`seed ${seed}, ${rounds} rounds, ${rate} events/s`)
process.exit(failed ? 1 : 0)

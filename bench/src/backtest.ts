/**
 * `tocsin rules backtest --format raw --matches` against rsigma (Rust), each on one core, over the same file of CloudTrail events with the same stock
 * rules. They take turns; each one's time is that of its whole process. A first run of each, not timed, shows that they match the same events.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchContext, PartResult } from './bench.ts'
import { cpuSecondsOfChildren, outputOf } from './child.ts'
import { writeCloudTrail } from './cloudtrail.ts'
import { medianOf, type Row } from './report.ts'

const CLI = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url))
const COMPARED_EVENTS = 20_000
const MOST_RULES = 348
const LIMIT_MS = 300_000
/** The same core for both. */
const ONE_CORE = ['taskset', '-c', '0'] as const

type Run = (rules: string, events: string) => Promise<string>

export async function benchBacktest({ rounds, events, data, rsigma, local, say }: BenchContext): Promise<PartResult> {
  const program = rsigma ?? [join(homedir(), '.cargo/bin/rsigma'), '/root/.cargo/bin/rsigma'].find(existsSync)
  if (program === undefined) throw new Error('rsigma is not there (--rsigma, cargo install --locked rsigma@0.23.0)')
  const stock = join(data, 'sigma')
  if (!existsSync(stock)) throw new Error(`${stock} is not there (--data)`)
  const count = Math.ceil(events * 0.3)
  const dir = mkdtempSync(join(local, 'backtest-'))
  try {
    const large = join(dir, 'events.ndjson')
    const small = join(dir, 'compared.ndjson')
    const bytes = await writeCloudTrail(join(data, 'cloudtrail'), large, count)
    await writeCloudTrail(join(data, 'cloudtrail'), small, COMPARED_EVENTS)
    const few = stockRules(stock, join(dir, 'stock'))
    const many = manyVariants(few.folder, join(dir, 'many'))
    const rows: Row[] = []
    for (const rules of [few, many]) {
      const compared = await compare(rules.folder, small, program)
      const theirs: Spent[] = []
      const ours: Spent[] = []
      for (let round = 1; round <= rounds; round++) {
        theirs.push(await timed(rsigmaRun(program), rules.folder, large))
        ours.push(await timed(tocsinRun, rules.folder, large))
        const rate = (of: readonly Spent[]) => Math.round(count / (of.at(-1)?.seconds ?? 0)).toLocaleString('en-US')
        say(`round ${round} of ${rounds}, ${rules.count} rules: rsigma ${rate(theirs)}, tocsin ${rate(ours)} events/s`)
      }
      const [rsigmaSeconds, tocsinSeconds] = [theirs, ours].map((of) => medianOf(of.map((each) => each.seconds))) as [
        number,
        number,
      ]
      const [rsigmaCpu, tocsinCpu] = [theirs, ours].map((of) => medianOf(of.map((each) => each.cpuSeconds))) as [number, number]
      const name = `${rules.count} rules`
      rows.push(
        { figure: `rsigma, ${name}`, unit: 'events/s', got: count / rsigmaSeconds, reach: null },
        { figure: `tocsin rules backtest, ${name}`, unit: 'events/s', got: count / tocsinSeconds, reach: null },
        { figure: `backtest / rsigma, ${name}`, unit: '×', got: rsigmaSeconds / tocsinSeconds, reach: { op: '>=', value: 1 } },
        { figure: `the same by CPU time, ${name}`, unit: '×', got: rsigmaCpu / tocsinCpu, reach: null },
        { figure: `matches of rsigma, ${name}`, unit: `of ${COMPARED_EVENTS} events`, got: compared.matches, reach: null },
        {
          figure: `matches that only one of both has, ${name}`,
          unit: '',
          got: compared.different,
          reach: { op: '<=', value: 0 },
        },
      )
    }
    return {
      what:
        `Backtest: ${count.toLocaleString('en-US')} CloudTrail events of ${Math.round(bytes)} bytes, made from recorded ones, NDJSON; ${few.count} stock AWS rules of SigmaHQ, and ` +
        `${many.count} (these and copies of them for other services); whole processes on one core (taskset), ${rounds} rounds in turn, medians.`,
      rows,
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const rsigmaRun =
  (program: string, ...options: readonly string[]): Run =>
  (rules, events) =>
    onOneCore([
      program,
      'engine',
      'eval',
      '--output-format',
      'ndjson',
      '--input-format',
      'json',
      ...options,
      '-r',
      rules,
      '-e',
      `@${events}`,
    ])

const tocsinRun: Run = (rules, events) =>
  onOneCore([process.execPath, CLI, 'rules', 'backtest', '--rules', rules, '--events', events, '--format', 'raw', '--matches'])

const onOneCore = (command: readonly string[]): Promise<string> =>
  outputOf(ONE_CORE[0], { args: [...ONE_CORE.slice(1), ...command], limitMs: LIMIT_MS })

interface Spent {
  readonly seconds: number
  readonly cpuSeconds: number
}

async function timed(run: Run, rules: string, events: string): Promise<Spent> {
  const [begun, cpuBefore] = [performance.now(), cpuSecondsOfChildren()]
  await run(rules, events)
  return { seconds: (performance.now() - begun) / 1_000, cpuSeconds: cpuSecondsOfChildren() - cpuBefore }
}

/** Each match as `rule id, event id`. */
async function compare(rules: string, events: string, program: string) {
  const theirs = linesOf(await rsigmaRun(program, '--include-event')(rules, events)).map(
    (match) => `${match['rule_id']} ${(match['event'] as Record<string, unknown>)['eventID']}`,
  )
  const ours = linesOf(await tocsinRun(rules, events)).map((match) => `${match['ruleId']} ${match['eventId']}`)
  const [left, right] = [new Set(theirs), new Set(ours)]
  return { matches: left.size, different: missing(left, right) + missing(right, left) }
}

const missing = (from: ReadonlySet<string>, of: ReadonlySet<string>): number => [...of].filter((match) => !from.has(match)).length

const linesOf = (output: string): Record<string, unknown>[] =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)

function stockRules(from: string, folder: string): { readonly folder: string; readonly count: number } {
  mkdirSync(folder)
  const names = readdirSync(from).filter((name) => name.startsWith('aws_'))
  for (const name of names) copyFileSync(join(from, name), join(folder, name))
  return { folder, count: names.length }
}

/** The rules of `from` and, up to the largest number, copies of them that look for services which no event has. */
function manyVariants(from: string, folder: string): { readonly folder: string; readonly count: number } {
  mkdirSync(folder)
  const rules = readdirSync(from).map((name) => ({ name, text: readFileSync(join(from, name), 'utf8') }))
  for (const { name, text } of rules) writeFileSync(join(folder, name), text)
  const copied = rules.filter(({ text }) => /^\s+eventSource:.*amazonaws\.com/m.test(text))
  for (let index = 0; index < MOST_RULES - rules.length; index++) {
    const { name, text } = copied[index % copied.length] as (typeof copied)[number]
    const id = `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`
    const copy = text.replaceAll('.amazonaws.com', `${index}.amazonaws.com`).replace(/^id: .*$/m, `id: ${id}`)
    writeFileSync(join(folder, `${index}-${name}`), copy)
  }
  return { folder, count: MOST_RULES }
}

import { TerminalError } from '@tocsin/errors'
import type { Command } from 'commander'
import { Option } from 'commander'
import type { Places } from './connection.ts'
import type { Output } from './output.ts'
import { addRulesApiCommands } from './rules-api-program.ts'

const SETTINGS = 'JSON: settings of all organizations, or a map from their ids to settings'
const formatOption = () =>
  new Option('--format <name>', 'of the events; else recognized; raw: as they are').choices(FORMAT_CHOICES)
const FORMAT_CHOICES = ['raw', 'tocsin', 'sshd', 'cloudtrail', 'cloudevents']

/** `tocsin rules …`; what each does is loaded when it is asked for, because it is most of the program. */
export function addRulesCommands(program: Command, places: Places, output: Output, finish: (exitCode: number) => void): void {
  const rules = program
    .command('rules')
    .description('Detection rules: check, test, explain, try on events of the past, put in force')
  addRulesApiCommands(rules, places, output, finish)
  rules
    .command('lint')
    .description('Name every fault with file, line and column')
    .argument('<path...>', 'rule files or folders')
    .action(async (paths: string[]) => finish((await import('./commands/rules/lint.ts')).lintRules(paths, output)))
  rules
    .command('test')
    .description('Run the tests that stand in the rules (x-tocsin.tests)')
    .argument('<path...>', 'rule files or folders')
    .action(async (paths: string[]) => finish((await import('./commands/rules/test.ts')).testRules(paths, output)))
  rules
    .command('explain')
    .description('Hold a rule against events: each node passed or failed and why, and how far the windows came')
    .requiredOption('--rule <file>', 'rule file')
    .requiredOption('--event <file>', 'one event, a list of them or one on each line; - for standard input')
    .addOption(formatOption())
    .option('--settings <file>', SETTINGS)
    .action(async (flags: { rule: string; event: string; format?: string; settings?: string }) => {
      const { explain } = await import('./commands/rules/explain.ts')
      finish(explain({ ...flags, now: Date.now(), output }))
    })
  rules
    .command('backtest')
    .description('Run rules over events of the past')
    .option('--rules <path...>', 'rule files or folders; of a range of offsets: else those in force there')
    .option('--events <file>', 'NDJSON or lines of sshd, one event a line')
    .addOption(
      new Option('--partition <n>', 'in place of a file: a partition of audit.events').argParser(Number).conflicts('events'),
    )
    .addOption(new Option('--from <offset>', 'first offset told of (default: the first there is)').argParser(BigInt))
    .addOption(new Option('--to <offset>', 'the offset after the last (default: the end)').argParser(BigInt))
    .option('--kafka <brokers>', 'host:port, several with commas')
    .option('--prefix <text>', 'KAFKA_TOPIC_PREFIX', '')
    .addOption(formatOption())
    .addOption(new Option('--alerts', 'print the last state of each alert, one a line').conflicts(['changes', 'matches']))
    .addOption(new Option('--changes', 'print every change of an alert, one a line').conflicts('matches'))
    .option('--matches', 'print every match of a detection, one a line: {"ruleId","eventId","line"}')
    .option('--settings <file>', SETTINGS)
    .addOption(new Option('--year <year>', 'sshd: year of stamps that have none').argParser(Number))
    .option('--zone <name>', 'sshd: IANA zone of stamps that have none (default UTC)')
    .action(async ({ alerts, changes, matches, ...flags }: BacktestFlags) => {
      const print = alerts === true ? 'alerts' : changes === true ? 'changes' : matches === true ? 'matches' : undefined
      const { backtest } = await import('./commands/rules/backtest.ts')
      const common = { ...flags, print, now: Date.now(), output } as const
      const { events, partition, kafka: brokers, ...place } = flags
      if (events !== undefined) finish(await backtest({ ...common, events }))
      else if (partition !== undefined && brokers !== undefined) {
        const { withRange } = await import('./rules/cluster.ts')
        finish(await withRange({ ...place, partition, brokers }, (range) => backtest({ ...common, events: range })))
      } else throw new TerminalError('Which events? Name a file with --events, or a range with --partition and --kafka.')
    })
}

interface BacktestFlags {
  readonly rules?: string[]
  readonly events?: string
  readonly partition?: number
  readonly from?: bigint
  readonly to?: bigint
  readonly kafka?: string
  readonly prefix: string
  readonly format?: string
  readonly alerts?: boolean
  readonly changes?: boolean
  readonly matches?: boolean
  readonly settings?: string
  readonly year?: number
  readonly zone?: string
}

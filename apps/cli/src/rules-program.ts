import type { Command } from 'commander'
import { Option } from 'commander'
import type { Output } from './output.ts'

/** `tocsin rules …`; what each does is loaded when it is asked for, because it is most of the program. */
export function addRulesCommands(program: Command, output: Output, finish: (exitCode: number) => void): void {
  const rules = program.command('rules').description('Detection rules: check, test, explain, try on events of the past')
  rules
    .command('lint')
    .description('Name every fault with file, line and column')
    .argument('<path...>', 'rule files or folders')
    .action(async (paths: string[]) => finish((await import('./commands/rules/lint.ts')).lintRules(paths, output)))
  rules
    .command('backtest')
    .description('Run rules over events of the past')
    .requiredOption('--rules <path...>', 'rule files or folders')
    .requiredOption('--events <file>', 'NDJSON, one event a line')
    .addOption(new Option('--format <name>', 'raw: events as they are').choices(['raw']))
    .option('--matches', 'every match of a detection: {"ruleId","eventId","line"}, one a line')
    .action(async (flags: { rules: string[]; events: string }) =>
      finish((await import('./commands/rules/backtest.ts')).backtest({ ...flags, output })),
    )
}

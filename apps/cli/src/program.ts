import { Argument, Command, Option } from 'commander'
import { addAccessCommands } from './access-program.ts'
import { addAlertsCommands } from './alerts-program.ts'
import { OFFSET_OWNERS, type OffsetOwner } from './commands/offset-owners.ts'
import { send } from './commands/send.ts'
import { printSignInLink } from './commands/sign-in.ts'
import type { VerifyFlags } from './commands/verify.ts'
import { type Given, gatewayOf, ingestKeyOf, type Places, readConnection } from './connection.ts'
import { runDemo } from './demo/run-demo.ts'
import { SCENARIO_NAMES, type ScenarioName } from './demo/scenarios.ts'
import { addKeysCommands } from './keys-program.ts'
import { addMembersCommands } from './members-program.ts'
import { wholeNumber } from './option-values.ts'
import type { Output } from './output.ts'
import { addRulesCommands } from './rules-program.ts'
import { addTenantsCommands } from './tenants-program.ts'

const SEED = wholeNumber(0, 4_294_967_295)
const DEFAULT_SEED = 1

interface ResetFlags {
  readonly service: OffsetOwner | 'detector'
  readonly databaseUrl?: string
  readonly partition?: number
  readonly kafka: string
  readonly prefix: string
  readonly yes?: boolean
}

/** The command line; `finish` gets the exit code of the command that ran. */
export function createProgram(places: Places, output: Output, finish: (exitCode: number) => void): Command {
  const program = new Command('tocsin')
    .description(
      'Tocsin from the command line. Addresses and keys are those of the Tocsin that runs on this machine (npm start), unless given.',
    )
    .configureOutput({ writeOut: (text) => output.result(text.trimEnd()), writeErr: (text) => output.note(text.trimEnd()) })
    .showHelpAfterError('(tocsin --help shows the commands)')

  program
    .command('send')
    .description('Send a file of events; sending it twice adds nothing')
    .argument('<file>', 'path, or - for standard input')
    .option('--format <name>', 'tocsin, sshd, cloudtrail or cloudevents; else it is recognized')
    .option('--year <year>', 'sshd: year of stamps that have none', wholeNumber(1970, 9999))
    .option('--zone <name>', 'sshd: IANA zone of stamps that have none (default UTC)')
    .option('--url <url>', 'front door')
    .option('--key <key>', 'ingest key')
    .option('--json', 'summary as JSON')
    .action(async (file: string, flags: Given & { format?: string; year?: number; zone?: string; json?: boolean }) => {
      const { format, year, zone, json } = flags
      finish(
        await send({ file, url: gatewayOf(flags, places), key: ingestKeyOf(flags, places), format, year, zone, json, output }),
      )
    })

  addTenantsCommands(program, places, output, finish)
  addAlertsCommands(program, { places, output, finish })
  addRulesCommands(program, places, output, finish)
  addAccessCommands(program, places, output, finish)
  addMembersCommands(program, places, output, finish)
  addKeysCommands(program, places, output, finish)

  program
    .command('offsets')
    .description('Where the services stand in the log')
    .command('reset')
    .description('Let a stopped service begin with the log that is there now; prints the plan first')
    .addOption(new Option('--service <name>', 'whose offsets').choices([...OFFSET_OWNERS, 'detector']).makeOptionMandatory())
    .option('--database-url <url>', "persistence and notifier: as the service's own role, tocsin_worker or tocsin_notifier")
    .addOption(
      new Option('--partition <n>', 'detector: of audit.events, whose state is forgotten').argParser(wholeNumber(0, 100_000)),
    )
    .requiredOption('--kafka <brokers>', 'host:port, several with commas')
    .option('--prefix <text>', 'KAFKA_TOPIC_PREFIX', '')
    .option('--yes', 'do it')
    .action(async (flags: ResetFlags, command: Command) => {
      const { service, databaseUrl, partition, kafka: brokers, prefix, yes = false } = flags
      if (service === 'detector') {
        if (partition === undefined) command.error("error: required option '--partition <n>' not specified")
        else
          finish(await (await import('./commands/reset-detector.ts')).resetDetector({ partition, brokers, prefix, yes, output }))
      } else if (databaseUrl === undefined) command.error("error: required option '--database-url <url>' not specified")
      else {
        const { resetOffsets } = await import('./commands/reset-offsets.ts')
        finish(await resetOffsets({ service, databaseUrl, brokers, prefix, yes, output }))
      }
    })

  program
    .command('verify')
    .description('Verify an export of the history of an organization, without any service (docs/history.md)')
    .requiredOption('--export <file>', 'NDJSON of GET /api/history/export')
    .option('--head <file>', 'heads from topic history.heads or GET /api/history/heads: finds a cut tail and a rewritten past')
    .option('--keys <file>', 'public keys, a JSON Web Key Set: verifies signatures of heads and checkpoint')
    .option('--json', 'the report as JSON')
    .action(async (flags: VerifyFlags) => finish(await (await import('./commands/verify.ts')).verify(flags, output)))

  program
    .command('sign-in')
    .description('Print a one-time link that opens the dashboard of this machine signed in; it works for 10 minutes')
    .action(async () => finish(await printSignInLink(places, output)))

  program
    .command('demo')
    .description('Play an attack through the front door and watch the alert reach a person')
    .addArgument(new Argument('[scenario]', 'the attack').choices(SCENARIO_NAMES).default('brute-force'))
    // npm without `--` takes `--seed` for a setting of its own and hands on the number alone.
    .addArgument(new Argument('[seed]', 'as --seed').argParser(SEED))
    .option('--seed <n>', 'the same seed tells the same story', SEED)
    .action(async (name: ScenarioName, bareSeed: number | undefined, given: { seed?: number }) => {
      const seed = given.seed ?? bareSeed ?? DEFAULT_SEED
      finish(await runDemo({ name, seed, connection: readConnection(places), output, now: () => Date.now() }))
    })
  return program
}

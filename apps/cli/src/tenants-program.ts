import type { Command } from 'commander'
import { createTenant, deleteTenant, listDeletedTenants } from './commands/tenants.ts'
import { type Given, gatewayOf, operatorTokenOf, type Places } from './connection.ts'
import { several } from './option-values.ts'
import type { Output } from './output.ts'

interface Flags extends Given {
  readonly json?: boolean
}
interface CreateFlags extends Flags {
  readonly slug?: string
  readonly email?: string[]
  readonly slack?: string[]
  readonly phone?: string[]
  readonly zone?: string
  readonly atOnce?: boolean
}

/** `tocsin tenants`: what an operator does with organizations. */
export function addTenantsCommands(program: Command, places: Places, output: Output, finish: (exitCode: number) => void): void {
  const tenants = program.command('tenants').description('Organizations of the installation')
  const withAccess = (command: Command) =>
    command
      .option('--url <url>', 'front door')
      .option('--token <token>', "operator's token")
      .option('--json', 'the answer as JSON')
  const accessOf = ({ json, ...given }: Flags) => ({
    url: gatewayOf(given, places),
    operatorToken: operatorTokenOf(given, places),
    json,
    output,
  })
  withAccess(
    tenants
      .command('create')
      .description('Make an organization; prints its id, ingest key and admin token once')
      .argument('<name>')
      .option('--slug <slug>', 'short name; else made of the name')
      .option('--email <address>', 'whom to tell by e-mail; may be repeated', several)
      .option('--slack <channel>', 'Slack channel to tell; may be repeated', several)
      .option('--phone <number>', 'number to tell by SMS; may be repeated', several)
      .option('--zone <name>', 'IANA zone of its business hours (default UTC)')
      .option('--at-once', 'tell people without the delays that give others time to acknowledge'),
  ).action(async (name: string, { slug, email = [], slack = [], phone = [], zone, atOnce, ...flags }: CreateFlags) => {
    const recipients = { emails: email, slackChannels: slack, phoneNumbers: phone }
    finish(await createTenant({ ...accessOf(flags), name, slug, ...recipients, zone, atOnce }))
  })
  withAccess(
    tenants
      .command('delete')
      .description('End an organization for ever: nothing of it can be read again; refused while a legal hold is in force')
      .argument('<id>')
      .requiredOption('--confirm <slug>', 'its slug, so that no other one is meant')
      .requiredOption('--reason <text>', 'kept in clear: name no persons'),
  ).action(async (id: string, { confirm, reason, ...flags }: Flags & { confirm: string; reason: string }) => {
    finish(await deleteTenant({ ...accessOf(flags), id, confirm, reason }))
  })
  withAccess(tenants.command('deleted').description('List organizations that were deleted, by whom and why')).action(
    async (flags: Flags) => {
      finish(await listDeletedTenants(accessOf(flags)))
    },
  )
}

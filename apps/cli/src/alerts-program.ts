import { ALERT_SORTS, ALERT_STATUSES, ALERT_TYPES, DISMISS_REASONS, SEVERITIES, SORT_ORDERS } from '@tocsin/contracts'
import { type Command, Option } from 'commander'
import { type AccessFlags, accessFrom, withAccess } from './access-options.ts'
import { type Act, actOn, type ListFilters, listAlerts, showAlert } from './commands/alerts.ts'
import type { Places } from './connection.ts'
import { severalOf, sinceOf, wholeNumber } from './option-values.ts'
import type { Output } from './output.ts'

interface ActFlags extends AccessFlags {
  readonly ifVersion?: number
  readonly comment?: string
}

/** `tocsin alerts …`. */
export function addAlertsCommands(
  program: Command,
  context: { readonly places: Places; readonly output: Output; readonly finish: (exitCode: number) => void },
): void {
  const { places, output, finish } = context
  const alerts = program.command('alerts').description('Alerts of an organization')
  const command = (name: string, description: string) => withAccess(alerts.command(name).description(description))
  const accessOf = accessFrom(places, output)

  command('ls', 'List them, newest first unless sorted otherwise')
    .option('--status <status>', `only these, may be repeated: ${ALERT_STATUSES.join(', ')}`, severalOf(ALERT_STATUSES))
    .option('--severity <severity>', `only these, may be repeated: ${SEVERITIES.join(', ')}`, severalOf(SEVERITIES))
    .option('--type <type>', `only these, may be repeated: ${ALERT_TYPES.join(', ')}`, severalOf(ALERT_TYPES))
    .option('--rule <id>', 'only of this rule')
    .option('--subject <text>', 'only about whom or what: exactly one value of the group')
    .option('--assignee <subject>', 'only those of this person')
    .option('--tag <tag>', 'only with this tag or label')
    .option('--q <words>', 'only where all of these words begin a word of title, description, group, rule, source or tags')
    .option('--since <time>', 'only those raised since: 90m, 12h, 7d, or a time in RFC 3339', sinceOf(Date.now))
    .addOption(new Option('--sort <by>', 'by what').choices(ALERT_SORTS).default('created'))
    .addOption(new Option('--order <order>', 'from which end').choices(SORT_ORDERS).default('desc'))
    .option('--limit <n>', 'how many', wholeNumber(1, 500), 50)
    .action(async ({ organization, url, token, json, ...filters }: AccessFlags & ListFilters) =>
      finish(await listAlerts({ ...accessOf({ organization, url, token, json }), filters, now: Date.now() })),
    )
  command('show', 'Everything about one, with its evidence')
    .argument('<id>')
    .action(async (id: string, flags: AccessFlags) => finish(await showAlert({ ...accessOf(flags), id })))

  const anAct = (name: string, description: string) =>
    command(name, description)
      .argument('<id>')
      .option('--if-version <n>', 'only if nobody has acted since that version', wholeNumber(0, Number.MAX_SAFE_INTEGER))
  const act = async (id: string, flags: ActFlags, what: Act) =>
    finish(await actOn({ ...accessOf(flags), id, ifVersion: flags.ifVersion, act: what }))
  const said = ({ comment }: ActFlags) => (comment === undefined ? undefined : { comment })
  for (const [name, path, description] of [
    ['ack', 'acknowledge', 'Say that you look at it'],
    ['unack', 'unacknowledge', 'Say that nobody looks at it any more'],
    ['reopen', 'reopen', 'Say that it is not over after all'],
  ] as const)
    anAct(name, description)
      .option('--comment <text>', 'kept in its history')
      .action((id: string, flags: ActFlags) => act(id, flags, { method: 'POST', path, body: said(flags) }))
  anAct('resolve', 'Say that the trouble is over')
    .requiredOption('--notes <text>', 'what it was')
    .option('--action <text>', 'what was done about it')
    .action((id: string, flags: ActFlags & { notes: string; action?: string }) => {
      const { notes, action } = flags
      return act(id, flags, { method: 'POST', path: 'resolve', body: { notes, ...(action === undefined ? {} : { action }) } })
    })
  anAct('dismiss', 'Say that it was no trouble')
    .addOption(new Option('--reason <reason>', 'why').choices(DISMISS_REASONS).makeOptionMandatory())
    .option('--notes <text>', 'more about it')
    .action((id: string, flags: ActFlags & { reason: string; notes?: string }) => {
      const { reason, notes } = flags
      return act(id, flags, { method: 'POST', path: 'dismiss', body: { reason, ...(notes === undefined ? {} : { notes }) } })
    })
  anAct('assign', 'Say who takes care of it')
    .argument('[subject]', 'a member of the organization; nobody where it is left out')
    .action((id: string, subject: string | undefined, flags: ActFlags) =>
      act(id, flags, { method: 'PUT', path: 'assignee', body: { assignee: subject ?? null } }),
    )
  anAct('comment', 'Say something of it')
    .argument('<text>')
    .action((id: string, comment: string, flags: ActFlags) =>
      act(id, flags, { method: 'POST', path: 'comments', body: { comment } }),
    )
}

import { type Command, InvalidArgumentError } from 'commander'
import { type AccessFlags, accessFrom, withAccess } from './access-options.ts'
import type { RuleAct } from './commands/rules/manage.ts'
import type { Places } from './connection.ts'
import type { Output } from './output.ts'

const ACTS: Readonly<Record<RuleAct, string>> = {
  activate: 'Put the draft in force; its own tests run first',
  pause: 'Stop a rule; its open alerts are closed',
  resume: 'Start a paused rule again',
  retire: 'End a rule',
}

/** The commands of `tocsin rules` that ask a running Tocsin. */
export function addRulesApiCommands(rules: Command, places: Places, output: Output, finish: (exitCode: number) => void): void {
  const command = (name: string, description: string) => withAccess(rules.command(name).description(description))
  const accessOf = accessFrom(places, output)
  const manage = () => import('./commands/rules/manage.ts')

  command('ls', 'Rules of an organization, with state, version and how often each fired').action(async (flags: AccessFlags) =>
    finish(await (await manage()).listRules(accessOf(flags))),
  )
  command('show', 'One rule with its text')
    .argument('<id>')
    .action(async (id: string, flags: AccessFlags) => finish(await (await manage()).showRule(accessOf(flags), id)))
  command('diff', 'What changed between two versions of a rule')
    .argument('<id>')
    .argument('<from>', 'version', versionNumber)
    .argument('<to>', 'version', versionNumber)
    .action(async (id: string, from: number, to: number, flags: AccessFlags) =>
      finish(await (await manage()).diffRule(accessOf(flags), id, from, to)),
    )
  for (const act of Object.keys(ACTS) as RuleAct[])
    command(act, ACTS[act])
      .argument('<id>')
      .requiredOption('--reason <text>', 'why')
      .action(async (id: string, { reason, ...flags }: AccessFlags & { reason: string }) =>
        finish(await (await manage()).actOnRule(accessOf(flags), id, act, reason)),
      )
  command('apply', "Make a folder's rules the organization's: prints the plan, and applies it whole with --yes")
    .argument('<folder>')
    .option('--name <name>', "what the rules' owner is called (default: the folder's name)")
    .option('--reason <text>', 'why')
    .option('--yes', 'do it')
    .option('--dry-run', 'the plan only (default)')
    .action(async (folder: string, { name, reason, yes, dryRun, ...flags }: ApplyFlags) => {
      const { applyRules } = await import('./commands/rules/apply.ts')
      finish(await applyRules({ ...accessOf(flags), folder, name, reason, yes: yes === true && dryRun !== true }))
    })
  command('import', 'Say of each Sigma rule of a folder whether it can run here; with --yes those that can are saved as drafts')
    .argument('<folder>')
    .option('--reason <text>', 'why')
    .option('--yes', 'save them')
    .action(async (path: string, { reason, yes, ...flags }: ApplyFlags) => {
      const { importRules } = await import('./commands/rules/import.ts')
      finish(await importRules({ path, reason, to: yes === true ? accessOf(flags) : null, output }))
    })
}

interface ApplyFlags extends AccessFlags {
  readonly name?: string
  readonly reason?: string
  readonly yes?: boolean
  readonly dryRun?: boolean
}

function versionNumber(value: string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('It is a whole number from 1.')
  return number
}

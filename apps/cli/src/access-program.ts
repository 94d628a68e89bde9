import { KEY_SCOPES, type KeyScope } from '@tocsin/contracts'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type AccessFlags, accessFrom, withAccess } from './access-options.ts'
import { bootstrap } from './commands/bootstrap.ts'
import { createApiKey, createPersonalToken, listApiKeys, revokeApiKey, rotateApiKey } from './commands/tokens.ts'
import { gatewayOf, type Places } from './connection.ts'
import type { Output } from './output.ts'

const DEFAULT_DAYS = 30
const MAX_DAYS = 90
const wholeDays = (value: string): number => {
  const days = Number(value)
  if (Number.isSafeInteger(days) && days >= 1 && days <= MAX_DAYS) return days
  throw new InvalidArgumentError(`It is a whole number from 1 to ${MAX_DAYS}.`)
}

/** `bootstrap` and `tokens`: who may do what. */
export function addAccessCommands(program: Command, places: Places, output: Output, finish: (exitCode: number) => void): void {
  program
    .command('bootstrap')
    .description('First operator, organization and admin of a fresh installation; prints links that sign them in once')
    .requiredOption('--url <url>', 'front door, as people reach it (PUBLIC_URL)')
    .requiredOption('--keys-file <path>', "the services' KEYS_FILE")
    .requiredOption('--organization <name>', 'name of the first organization')
    .requiredOption('--admin <subject>', 'its first admin, for instance an e-mail address')
    .option('--operator <subject>', 'first operator of the installation; else the admin')
    .action(async (flags: { url: string; keysFile: string; organization: string; admin: string; operator?: string }) => {
      const { keysFile, organization, admin, operator = admin } = flags
      finish(await bootstrap({ url: gatewayOf(flags, places), keysFile, organization, admin, operator, output }))
    })

  const tokens = program.command('tokens').description('API keys of an organization, and tokens of your own')
  const accessOf = accessFrom(places, output)
  withAccess(tokens.command('create').description('Make an API key; it is shown once').argument('<name>', 'what it is for'))
    .addOption(new Option('--scope <scope...>', 'what it may do').choices([...KEY_SCOPES]).makeOptionMandatory())
    .option('--source <name>', 'the only source name that it may send as')
    .action(async (name: string, { scope, source, ...flags }: AccessFlags & { scope: KeyScope[]; source?: string }) => {
      finish(await createApiKey({ ...accessOf(flags), name, scopes: scope, source }))
    })
  withAccess(tokens.command('ls').description('List live API keys, with their last use')).action(async (flags: AccessFlags) => {
    finish(await listApiKeys(accessOf(flags)))
  })
  withAccess(tokens.command('rotate').description('Replace a key; the old one ends after a day').argument('<id>')).action(
    async (id: string, flags: AccessFlags) => {
      finish(await rotateApiKey({ ...accessOf(flags), id }))
    },
  )
  withAccess(tokens.command('revoke').description('End a key at once').argument('<id>')).action(
    async (id: string, flags: AccessFlags) => {
      finish(await revokeApiKey({ ...accessOf(flags), id }))
    },
  )
  withAccess(tokens.command('personal').description('Make a token of your own for programs; it may do what you may'))
    .option('--days <n>', 'until it ends', wholeDays, DEFAULT_DAYS)
    .action(async ({ days, ...flags }: AccessFlags & { days: number }) => {
      finish(await createPersonalToken({ ...accessOf(flags), days }))
    })
}

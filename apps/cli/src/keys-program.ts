import { join } from 'node:path'
import { KEY_RINGS, type KeyRingName } from '@tocsin/access'
import { Argument, type Command, InvalidArgumentError } from 'commander'
import { listKeys, retireKeys, rotateKeys } from './commands/keys.ts'
import type { Places } from './connection.ts'
import type { Output } from './output.ts'

/** Mounted secrets of Kubernetes follow within about 90 s; on one machine 10 s are plenty. */
const ACTIVATE_AFTER_SECONDS = 120

/** `tocsin keys`: the installation's key ring (docs/runbooks/leaked-keys.md). */
export function addKeysCommands(program: Command, places: Places, output: Output, finish: (exitCode: number) => void): void {
  const keys = program.command('keys').description('The key ring of the installation')
  const fileOf = (given: string | undefined) => ({
    path: given ?? places.env['KEYS_FILE'] ?? join(places.local, 'keys.json'),
    output,
    now: Date.now(),
  })
  keys
    .command('ls')
    .description('Which keys there are, and which of them makes; shows no key')
    .option('--file <path>', 'KEYS_FILE')
    .action(async ({ file }: { file?: string }) => finish(await listKeys(fileOf(file))))
  keys
    .command('rotate')
    .description('Give a ring a new key; what the old one made stays valid')
    .addArgument(new Argument('<ring>', 'whose key').choices(KEY_RINGS))
    .option('--file <path>', 'KEYS_FILE')
    .option('--activate-after <seconds>', 'by then every service must have the new file', seconds, ACTIVATE_AFTER_SECONDS)
    .option('--retire <id>', 'make no new key, but take this old one away: what it made opens no longer')
    .action(async (name: KeyRingName, flags: { file?: string; activateAfter: number; retire?: string }) => {
      const file = fileOf(flags.file)
      if (flags.retire !== undefined) finish(await retireKeys({ ...file, name, id: flags.retire }))
      else finish(await rotateKeys({ ...file, name, activateAfterMs: flags.activateAfter * 1_000 }))
    })
}

function seconds(value: string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < 0 || number > 86_400)
    throw new InvalidArgumentError('It is a whole number from 0 to 86400.')
  return number
}

import { ROLES, type Role } from '@tocsin/contracts'
import { Argument, type Command } from 'commander'
import { listMembers, removeMember, setMember, signOutMember } from './commands/members.ts'
import { type Given, gatewayOf, type Places, tokenOf } from './connection.ts'
import type { Output } from './output.ts'

interface Flags extends Given {
  readonly organization?: string
  readonly json?: boolean
}

/** `tocsin members …`. */
export function addMembersCommands(program: Command, places: Places, output: Output, finish: (exitCode: number) => void): void {
  const members = program.command('members').description('Who belongs to an organization')
  const command = (name: string, description: string) =>
    members
      .command(name)
      .description(description)
      .option('--organization <id>', "organization; else the token's only one")
      .option('--url <url>', 'front door')
      .option('--token <token>', 'bearer token')
      .option('--json', 'the answer as JSON')
  const accessOf = ({ organization, json, ...given }: Flags) => ({
    url: gatewayOf(given, places),
    token: tokenOf(given, places),
    organizationId: organization,
    json,
    output,
  })
  const subject = () => new Argument('<subject>', 'as tokens name the person, for instance an e-mail address')

  command('ls', 'List them, with their roles').action(async (flags: Flags) => finish(await listMembers(accessOf(flags))))
  command('set', 'Add a member, or give it another role')
    .addArgument(subject())
    .addArgument(new Argument('<role>', 'what it may do').choices(ROLES))
    .action(async (who: string, role: Role, flags: Flags) => finish(await setMember(accessOf(flags), who, role)))
  command('rm', 'Remove a member')
    .addArgument(subject())
    .action(async (who: string, flags: Flags) => finish(await removeMember(accessOf(flags), who)))
  command('sign-out', 'Refuse every token that a member has now, everywhere')
    .addArgument(subject())
    .action(async (who: string, flags: Flags) => finish(await signOutMember(accessOf(flags), who)))
}

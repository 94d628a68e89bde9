import { ROLES, type Role } from '@tocsin/contracts'
import { Argument, type Command } from 'commander'
import { type AccessFlags, accessFrom, withAccess } from './access-options.ts'
import { listMembers, removeMember, setMember, signOutMember } from './commands/members.ts'
import type { Places } from './connection.ts'
import type { Output } from './output.ts'

/** `tocsin members …`. */
export function addMembersCommands(program: Command, places: Places, output: Output, finish: (exitCode: number) => void): void {
  const members = program.command('members').description('Who belongs to an organization')
  const command = (name: string, description: string) => withAccess(members.command(name).description(description))
  const accessOf = accessFrom(places, output)
  const subject = () => new Argument('<subject>', 'as tokens name the person, for instance an e-mail address')

  command('ls', 'List them, with their roles').action(async (flags: AccessFlags) => finish(await listMembers(accessOf(flags))))
  command('set', 'Add a member, or give it another role')
    .addArgument(subject())
    .addArgument(new Argument('<role>', 'what it may do').choices(ROLES))
    .action(async (who: string, role: Role, flags: AccessFlags) => finish(await setMember(accessOf(flags), who, role)))
  command('rm', 'Remove a member')
    .addArgument(subject())
    .action(async (who: string, flags: AccessFlags) => finish(await removeMember(accessOf(flags), who)))
  command('sign-out', 'Refuse every token that a member has now, everywhere')
    .addArgument(subject())
    .action(async (who: string, flags: AccessFlags) => finish(await signOutMember(accessOf(flags), who)))
}

import type { Role } from '@tocsin/contracts'

/** A member as it is: `role` null where the subject is none; `otherAdmins` without the subject. */
export interface Membership {
  readonly role: Role | null
  readonly otherAdmins: number
}

/** What a change of a member comes to, `next` null for its removal. An organization never loses its last admin. */
export function decideMembership(
  present: Membership,
  next: Role | null,
): 'added' | 'changed' | 'removed' | 'unchanged' | 'noMember' | 'lastAdmin' {
  const { role, otherAdmins } = present
  if (role === null) return next === null ? 'noMember' : 'added'
  if (role === next) return 'unchanged'
  if (role === 'admin' && otherAdmins === 0) return 'lastAdmin'
  return next === null ? 'removed' : 'changed'
}

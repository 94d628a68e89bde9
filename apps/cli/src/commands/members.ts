/** `tocsin members ls`, `set`, `rm`, `sign-out`. Each returns the exit code. */
import type { Member, Role } from '@tocsin/contracts'
import { type ApiRequest, fetchJson } from '../api.ts'
import { type Output, plain } from '../output.ts'

export interface MembersAccess {
  readonly url: string
  readonly token: string
  /** Undefined: the token's only one. */
  readonly organizationId?: string | undefined
  readonly json?: boolean | undefined
  readonly output: Output
}

const addressOf = ({ url, organizationId }: MembersAccess, path = ''): string =>
  `${url}/api/members${path}${organizationId === undefined ? '' : `?organizationId=${encodeURIComponent(organizationId)}`}`

export async function listMembers(access: MembersAccess): Promise<number> {
  const { items } = await fetchJson<{ items: Member[] }>(addressOf(access), { token: access.token })
  if (access.json === true) access.output.result(JSON.stringify(items))
  else for (const { role, subject } of items) access.output.result(plain(`${role.padEnd(9)}  ${subject}`))
  return 0
}

export const setMember = (access: MembersAccess, subject: string, role: Role): Promise<number> =>
  change(access, subject, `is ${role}`, { method: 'PUT', body: JSON.stringify({ role }) })

export const removeMember = (access: MembersAccess, subject: string): Promise<number> =>
  change(access, subject, 'removed', { method: 'DELETE' })

export const signOutMember = (access: MembersAccess, subject: string): Promise<number> =>
  change(access, subject, 'signed out', { method: 'POST' }, '/sign-out')

async function change(
  access: MembersAccess,
  subject: string,
  done: string,
  request: Omit<ApiRequest, 'token'>,
  act = '',
): Promise<number> {
  const { token, json, output } = access
  const url = addressOf(access, `/${encodeURIComponent(subject)}${act}`)
  const member = await fetchJson<Member>(url, { ...request, token })
  output.result(json === true ? JSON.stringify(member) : plain(`${member.subject} ${done}`))
  return 0
}

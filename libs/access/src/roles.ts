import type { Role } from '@tocsin/contracts'

/** What can be done inside an organization. */
export type Action =
  | 'alerts:read'
  | 'alerts:act'
  | 'organization:read'
  | 'history:read'
  | 'rules:write'
  | 'settings:write'
  | 'keys:write'
  | 'roles:write'

const READ = ['alerts:read', 'organization:read'] as const satisfies readonly Action[]
const RESPOND = [...READ, 'alerts:act'] as const satisfies readonly Action[]
const AUTHOR = [...RESPOND, 'rules:write'] as const satisfies readonly Action[]

/** The one table of roles (security.md §1). `operator` is no role here: it lies outside every organization. */
export const PERMISSIONS: Readonly<Record<Role, ReadonlySet<Action>>> = {
  viewer: new Set(READ),
  responder: new Set(RESPOND),
  author: new Set(AUTHOR),
  admin: new Set<Action>([...AUTHOR, 'history:read', 'settings:write', 'keys:write', 'roles:write']),
  auditor: new Set<Action>([...READ, 'history:read']),
}

export const can = (role: Role, action: Action): boolean => PERMISSIONS[role].has(action)

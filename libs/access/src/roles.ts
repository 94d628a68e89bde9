import type { InstallationPermission, KeyScope, Permission, Role } from '@tocsin/contracts'

const READ = ['alerts:read', 'organization:read', 'rules:read'] as const satisfies readonly Permission[]
const RESPOND = [
  ...READ,
  'sensitive:read',
  'alerts:acknowledge',
  'alerts:resolve',
  'alerts:dismiss',
  'alerts:comment',
  'alerts:raise',
  'alerts:export',
] as const satisfies readonly Permission[]
const AUTHOR = [...RESPOND, 'rules:write', 'exceptions:write'] as const satisfies readonly Permission[]
const INSPECT = ['history:read', 'members:read', 'keys:read'] as const satisfies readonly Permission[]

/** The one table of roles (security.md §1). `operator` is no role here: it lies outside every organization. */
export const ROLE_PERMISSIONS: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  viewer: new Set(READ),
  responder: new Set(RESPOND),
  author: new Set(AUTHOR),
  admin: new Set<Permission>([
    ...AUTHOR,
    ...INSPECT,
    'settings:write',
    'keys:write',
    'members:write',
    'retention:write',
    'holds:write',
    'erasure:write',
  ]),
  auditor: new Set<Permission>([...READ, ...INSPECT, 'sensitive:read', 'alerts:export']),
}

/** What a key may do on the API beside sending events (ingest looks at the scope itself). */
export const SCOPE_PERMISSIONS: Readonly<Record<KeyScope, readonly Permission[]>> = {
  'events:write': [],
  'alerts:write': ['alerts:raise'],
  read: READ,
}

/** What is given for every organization. Nothing of it is `sensitive:read`: who is to see evidence is made a member. */
export const INSTALLATION_GRANTS: Readonly<Record<InstallationPermission, readonly Permission[]>> = {
  'alerts:view:all': ['alerts:read'],
  'alerts:acknowledge:all': ['alerts:acknowledge'],
  'alerts:resolve:all': ['alerts:resolve'],
  'alerts:dismiss:all': ['alerts:dismiss'],
}

export const can = (role: Role, permission: Permission): boolean => ROLE_PERMISSIONS[role].has(permission)

/** Everything that can be done inside an organization; libs/access says which role may. */
export const PERMISSIONS = [
  'alerts:read',
  'alerts:acknowledge',
  'alerts:resolve',
  'alerts:dismiss',
  'alerts:comment',
  'alerts:raise',
  'alerts:export',
  'sensitive:read',
  'organization:read',
  'settings:write',
  'history:read',
  'rules:read',
  'rules:write',
  'exceptions:write',
  'keys:read',
  'keys:write',
  'members:read',
  'members:write',
  'retention:write',
  'holds:write',
  'erasure:write',
] as const
export type Permission = (typeof PERMISSIONS)[number]

/** In every organization: held by no role, given to a subject by an operator (docs/decisions/0031). */
export const INSTALLATION_PERMISSIONS = [
  'alerts:view:all',
  'alerts:acknowledge:all',
  'alerts:resolve:all',
  'alerts:dismiss:all',
] as const
export type InstallationPermission = (typeof INSTALLATION_PERMISSIONS)[number]

/** What an API key may be made for. `read`: GET of the API, without what is sensitive. */
export const KEY_SCOPES = ['events:write', 'alerts:write', 'read'] as const
export type KeyScope = (typeof KEY_SCOPES)[number]

/** Of a member of an organization. */
export const ROLES = ['viewer', 'responder', 'author', 'admin', 'auditor'] as const
export type Role = (typeof ROLES)[number]

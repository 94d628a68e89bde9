import type { AccessRecord, Permission, Role } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { ROLE_PERMISSIONS } from './roles.ts'
import type { VerifiedToken } from './tokens.ts'

/** What is known of one subject. */
export type Access = Pick<AccessRecord, 'operator' | 'memberships' | 'notBefore'>

export const NO_ACCESS: Access = { operator: false, memberships: [], notBefore: null }

/** Who may go where, as read from topic `access`; feed it each record. Versions not above the known one are ignored. */
export class AccessDirectory {
  readonly #records = new Map<string, AccessRecord>()

  /** `record` null is a tombstone: the subject has no access. */
  apply(subject: string, record: AccessRecord | null): void {
    if (record === null) this.#records.delete(subject)
    else if (record.version > (this.#records.get(subject)?.version ?? 0)) this.#records.set(subject, record)
  }

  of(subject: string): Access {
    return this.#records.get(subject) ?? NO_ACCESS
  }

  /** Throws HttpProblem 401 when the token was issued before the subject's `notBefore`. */
  admit(token: VerifiedToken): Access {
    return admitted(this.of(token.subject), token)
  }
}

/** `access`, unless the token was issued before its `notBefore`: then HttpProblem 401. */
export function admitted(access: Access, token: VerifiedToken): Access {
  if (access.notBefore !== null && token.issuedAt.getTime() < Date.parse(access.notBefore))
    throw new HttpProblem(401, 'UNAUTHENTICATED', 'The token was revoked. Sign in again.', {
      headers: { 'www-authenticate': 'Bearer' },
    })
  return access
}

/** The same words whether it is missing or somebody else's. */
export const notFound = (what: string) => new HttpProblem(404, 'NOT_FOUND', `There is no such ${what}.`)

/** What a caller may do in one organization: by a role, a key's scopes, or a grant of the installation. */
export interface Standing {
  readonly organizationId: string
  /** For messages: `the role viewer`, `this key`. */
  readonly as: string
  readonly permissions: ReadonlySet<Permission>
}

export const standingsOf = ({ memberships }: Pick<Access, 'memberships'>): Standing[] =>
  memberships.map(({ organizationId, role }) => ({
    organizationId,
    as: `the role ${role}`,
    permissions: ROLE_PERMISSIONS[role],
  }))

/** What a request asks for; `what` names the thing for the words of a 404. */
export interface AuthorizationRequest {
  readonly organizationId: string | undefined
  readonly permission: Permission
  readonly what: string
}

/**
 * The caller's standing in the organization that a request is about: the one it names, else the caller's only one.
 * Throws HttpProblem: 400 ORGANIZATION_REQUIRED, 404 NOT_FOUND where the caller has none there.
 */
export function standingIn<S extends Standing>(
  standings: readonly S[],
  request: Pick<AuthorizationRequest, 'organizationId' | 'what'>,
): S {
  const named = request.organizationId?.toLowerCase()
  const only = standings.length === 1 ? standings[0] : undefined
  if (named === undefined && only === undefined)
    throw new HttpProblem(400, 'ORGANIZATION_REQUIRED', 'Name the organization: ?organizationId=…. GET /api/me lists yours.')
  const standing = named === undefined ? only : standings.find((each) => each.organizationId === named)
  if (standing === undefined) throw notFound(request.what)
  return standing
}

/** Throws HttpProblem 403 FORBIDDEN where the standing does not allow `permission`. */
export function permit({ as, permissions }: Pick<Standing, 'as' | 'permissions'>, permission: Permission): void {
  if (!permissions.has(permission))
    throw new HttpProblem(403, 'FORBIDDEN', `This needs ${permission}, which ${as} does not allow.`)
}

/** `standingIn` and `permit` by memberships alone, with the role. */
export function authorize(
  access: Access,
  request: AuthorizationRequest,
): { readonly organizationId: string; readonly role: Role } {
  const standing = standingIn(standingsOf(access), request)
  permit(standing, request.permission)
  const { organizationId } = standing
  const membership = access.memberships.find((each) => each.organizationId === organizationId)
  if (membership === undefined) throw notFound(request.what)
  return { organizationId, role: membership.role }
}

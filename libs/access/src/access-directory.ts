import type { AccessRecord, Permission, Role } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { can } from './roles.ts'
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

/**
 * The organization that a request is about, and the role there: the one it names, else the subject's only one.
 * Throws HttpProblem: 400 ORGANIZATION_REQUIRED, 404 NOT_FOUND where the subject is no member (`what` names the thing asked
 * for), 403 FORBIDDEN where the role does not allow `permission`.
 */
export function authorize(
  access: Access,
  request: { readonly organizationId: string | undefined; readonly permission: Permission; readonly what: string },
): { readonly organizationId: string; readonly role: Role } {
  const named = request.organizationId?.toLowerCase()
  const only = access.memberships.length === 1 ? access.memberships[0] : undefined
  if (named === undefined && only === undefined)
    throw new HttpProblem(400, 'ORGANIZATION_REQUIRED', 'Name the organization: ?organizationId=…. GET /api/me lists yours.')
  const membership = named === undefined ? only : access.memberships.find((each) => each.organizationId === named)
  if (membership === undefined) throw notFound(request.what)
  if (!can(membership.role, request.permission))
    throw new HttpProblem(403, 'FORBIDDEN', `The role ${membership.role} may not do this (${request.permission}).`)
  return { organizationId: membership.organizationId, role: membership.role }
}

import { isReservedSubject } from '@tocsin/access'

/**
 * The subject that an id token (already checked) stands for. An e-mail address that the provider has not verified is nobody's: else
 * whoever may choose an address there could be anybody here. Addresses are compared in lower case.
 */
export function subjectOf(
  claims: { readonly sub: string; readonly email?: unknown; readonly email_verified?: unknown },
  claim: 'email' | 'sub',
): { readonly subject: string } | { readonly refused: 'noClaim' | 'emailNotVerified' | 'reserved' } {
  const value = claims[claim]
  if (typeof value !== 'string' || value === '' || value.length > 255) return { refused: 'noClaim' }
  if (claim === 'email' && claims.email_verified !== true) return { refused: 'emailNotVerified' }
  const subject = claim === 'email' ? value.toLowerCase() : value
  return isReservedSubject(subject) ? { refused: 'reserved' } : { subject }
}

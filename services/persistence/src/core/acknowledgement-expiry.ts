import type { OrganizationSettings, Severity } from '@tocsin/contracts'

const HOUR_MS = 3_600_000
/** Where the organization says nothing: what is severe and forgotten comes back. null: never. */
const DEFAULT_EXPIRY_MS: Readonly<Record<Severity, number | null>> = {
  CRITICAL: HOUR_MS,
  HIGH: 4 * HOUR_MS,
  MEDIUM: null,
  LOW: null,
  INFO: null,
}

/** How long an acknowledgement holds, in milliseconds; null: until somebody ends it. */
export function expiryMsOf(severity: Severity, settings: Pick<OrganizationSettings, 'acknowledgementExpiryMs'>): number | null {
  const set = settings.acknowledgementExpiryMs?.[severity]
  return set === undefined ? DEFAULT_EXPIRY_MS[severity] : set
}

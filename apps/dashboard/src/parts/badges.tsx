import type { AlertStatus, Severity } from '@tocsin/contracts'
import { SEVERITIES } from '../vocabulary.ts'

export const SeverityBadge = ({ severity }: { readonly severity: Severity }) => (
  <span className={`badge severity-${severity.toLowerCase()}`}>{severity.toLowerCase()}</span>
)

/** Where the API tells a severity as text: as a badge where it is one. */
export function SeverityName({ name }: { readonly name: string }) {
  const severity = SEVERITIES.find((each) => each === name)
  return severity === undefined ? name : <SeverityBadge severity={severity} />
}

export const StatusBadge = ({ status }: { readonly status: AlertStatus }) => (
  <span className={`status status-${status}`}>
    <span aria-hidden="true" className="status-dot" />
    {status}
  </span>
)

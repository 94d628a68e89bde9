import type { AlertStatus, Severity } from '@tocsin/contracts'

export const SeverityBadge = ({ severity }: { readonly severity: Severity }) => (
  <span className={`badge severity-${severity.toLowerCase()}`}>{severity.toLowerCase()}</span>
)

export const StatusBadge = ({ status }: { readonly status: AlertStatus }) => (
  <span className={`status status-${status}`}>
    <span aria-hidden="true" className="status-dot" />
    {status}
  </span>
)

import type { Alert } from '@tocsin/contracts'
import { Moment } from '../parts/time.tsx'

interface Step {
  readonly at: string
  readonly text: string
  readonly note?: string | null
}

/** What happened to the alert, oldest first, from the alert's own fields. */
export function historyOf(alert: Alert): readonly Step[] {
  const steps: Step[] = [{ at: alert.createdAt, text: `raised by ${alert.source}` }]
  if (alert.acknowledgedAt !== null)
    steps.push({ at: alert.acknowledgedAt, text: `acknowledged by ${alert.acknowledgedBy ?? 'somebody'}` })
  if (alert.resolvedAt !== null)
    steps.push({ at: alert.resolvedAt, text: `resolved by ${alert.resolvedBy ?? 'somebody'}`, note: alert.resolutionNotes })
  if (alert.dismissedAt !== null)
    steps.push({ at: alert.dismissedAt, text: `dismissed by ${alert.dismissedBy ?? 'somebody'}`, note: alert.dismissReason })
  return steps.sort((one, other) => Date.parse(one.at) - Date.parse(other.at))
}

export const StatusHistory = ({ alert }: { readonly alert: Alert }) => (
  <ol className="timeline">
    {historyOf(alert).map((step) => (
      <li key={step.text}>
        {step.text}
        {step.note && <div className="note">{step.note}</div>}
        <div className="quiet">
          <Moment at={step.at} />
        </div>
      </li>
    ))}
  </ol>
)

/** Exceptions of an organization (docs/detection.md, D62), as far as the tests write them: fields that equal one of some values. */
import type { AuditEvent, OrganizationSettings } from '@tocsin/contracts'

type Exception = NonNullable<OrganizationSettings['exceptions']>[number]
type FieldValues = Readonly<Record<string, string | readonly string[]>>

const fieldOf = (event: AuditEvent, field: string): unknown =>
  field === 'ipAddress' ? event.sessionContext?.ipAddress : (event as unknown as Record<string, unknown>)[field]

const holdsOf = (event: AuditEvent, match: FieldValues): boolean =>
  Object.entries(match).every(([field, values]) => [values].flat().includes(String(fieldOf(event, field))))

/** How many exceptions in force keep the event out of the rule. */
export function exceptionsOf(settings: OrganizationSettings, ruleId: string, event: AuditEvent, logTime: number): number {
  const isInForce = ({ ruleId: of, expiresAt }: Exception) =>
    (of === null || of === ruleId) && (expiresAt === null || logTime < Date.parse(expiresAt))
  const matches = ({ match }: Exception) => ([match].flat() as FieldValues[]).some((map) => holdsOf(event, map))
  return (settings.exceptions ?? []).filter((exception) => isInForce(exception) && matches(exception)).length
}

import type { Calendar, Night } from './calendar.ts'
import type { EventView } from './event-view.ts'
import type { GroupName } from './group.ts'
import type { CompiledRule } from './rule.ts'

/** Why an event that matches has no group. */
export type Ungrouped = 'unattributed' | 'groupMissing' | 'business hours'

/** Between the parts of a key; NUL never occurs in a stored event. */
const SEPARATOR = '\u0000'
/** As ranked by `nameOf`: the last part of a path, so that `sessionContext.ipAddress` is shown as `ipAddress`. */
const nameOf = (field: string): string => field.slice(field.lastIndexOf('.') + 1)

/** The group of a matching event (detection.md §3): values exactly as sent, blank is absent, nothing is pooled. */
export function groupOf(
  { groupBy }: CompiledRule,
  calendar: Calendar | null,
  event: EventView,
  t: number,
): GroupName | Ungrouped {
  const night = calendar === null ? null : calendar.nightOf(t)
  if (calendar !== null && night === null) return 'business hours'
  if (groupBy.mode === 'first') {
    for (const field of groupBy.fields) {
      const value = fieldText(event, field)
      if (value !== null) return named(nameOf(field) + SEPARATOR + value, { [nameOf(field)]: value }, night)
    }
    return 'unattributed'
  }
  const shown: Record<string, string> = {}
  let key = ''
  for (const field of groupBy.fields) {
    const value = fieldText(event, field)
    if (value === null) return 'groupMissing'
    shown[nameOf(field)] = value
    key += value + SEPARATOR
  }
  return named(key, shown, night)
}

const named = (key: string, shown: Record<string, string>, night: Night | null): GroupName =>
  night === null ? { key, shown, night } : { key: `${key}${SEPARATOR}${night.start}${SEPARATOR}${night.end}`, shown, night }

function fieldText(event: EventView, field: string): string | null {
  const value = field === 'principalId' || field === 'ipAddress' ? event.text(field) : event.fields(field)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'string' && value.trim() !== '' ? value : null
}

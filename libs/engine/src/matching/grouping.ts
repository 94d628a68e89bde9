import type { EventView } from '../event/event-view.ts'
import type { Calendar, Night } from '../rules/calendar.ts'
import type { GroupBy } from '../rules/rule.ts'
import { type GroupName, groupName, keyOfAll, keyOfFirst } from './group-name.ts'

/** Why an event that matches has no group. */
export type Ungrouped = 'unattributed' | 'groupMissing' | 'business hours'

/** The group of a matching event (detection.md §3): values exactly as sent, blank is absent, nothing is pooled. */
export function groupOf(
  groupBy: Exclude<GroupBy, { readonly mode: 'aliased' }>,
  calendar: Calendar | null,
  event: EventView,
  t: number,
): GroupName | Ungrouped {
  const night = calendar === null ? null : calendar.nightOf(t)
  if (calendar !== null && night === null) return 'business hours'
  if (groupBy.mode === 'first') {
    for (let place = 0; place < groupBy.fields.length; place++) {
      const value = fieldText(event, groupBy.fields[place] as string)
      if (value !== null) return groupName(keyOfFirst(groupBy.fields, place, value), night)
    }
    return 'unattributed'
  }
  return groupByAll(groupBy.fields, groupBy.fields, event, night)
}

/** One group of an event, and the rules through which it belongs to it, a bit each. */
export interface Membership {
  readonly name: GroupName | Ungrouped
  readonly parts: number
}

/** The groups of an event under a rule with aliases: one through each rule that it matches, several of one name once (D45). */
export function membershipsOf(
  { fields, byPart }: Extract<GroupBy, { readonly mode: 'aliased' }>,
  calendar: Calendar | null,
  event: EventView,
  t: number,
  parts: number,
): Iterable<Membership> {
  const night = calendar === null ? null : calendar.nightOf(t)
  if (calendar !== null && night === null) return [{ name: 'business hours', parts }]
  // Most match one of the rules. A mark matches none: it belongs by the fields called as the aliases.
  if ((parts & (parts - 1)) === 0)
    return [{ name: groupByAll(fields, byPart[31 - Math.clz32(parts)] ?? fields, event, night), parts }]
  const found = new Map<string, Membership>()
  const belongs = (fieldsOfPart: readonly string[], part: number): void => {
    const name = groupByAll(fields, fieldsOfPart, event, night)
    const key = typeof name === 'string' ? '' : name.key
    found.set(key, { name, parts: ((found.get(key)?.parts ?? 0) | part) >>> 0 })
  }
  for (const [place, fieldsOfPart] of byPart.entries()) if (((parts >>> place) & 1) === 1) belongs(fieldsOfPart, 1 << place)
  return found.values()
}

/** @param names what the fields are called in the group */
function groupByAll(
  names: readonly string[],
  fields: readonly string[],
  event: EventView,
  night: Night | null,
): GroupName | 'groupMissing' {
  const values: string[] = []
  for (const field of fields) {
    const value = fieldText(event, field)
    if (value === null) return 'groupMissing'
    values.push(value)
  }
  return groupName(keyOfAll(names, values), night)
}

function fieldText(event: EventView, field: string): string | null {
  const value = field === 'principalId' || field === 'ipAddress' ? event.text(field) : event.fields(field)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'string' && value.trim() !== '' ? value : null
}

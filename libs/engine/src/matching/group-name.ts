import type { Night } from '../rules/calendar.ts'
import type { CompiledRule } from '../rules/rule.ts'

/** Whom a window is counted for. */
export interface GroupName {
  /** Distinct for every group of a rule and organization. */
  readonly key: string
  /** For rules with a calendar: the group is a subject and a night. */
  readonly night: Night | null
}

/** Between the parts of a key; NUL never occurs in a stored event. */
const SEPARATOR = '\u0000'
/** As an alert shows a field: the last part of a path (`sessionContext.ipAddress` is `ipAddress`), and a source by its name. */
const nameOf = (field: string): string => (field === 'source.name' ? 'source' : field.slice(field.lastIndexOf('.') + 1))

/**
 * The key of a group by the first present of several fields: the value as it is for the first field, so that most keys cost nothing;
 * with the field's name for the others, so that values of different fields never meet (docs/detection.md D10).
 */
export const keyOfFirst = (fields: readonly string[], place: number, value: string): string =>
  place === 0 && !value.startsWith(SEPARATOR) ? value : SEPARATOR + nameOf(fields[place] as string) + SEPARATOR + value

/** The key of a group by all fields; with their names, because another version of the rule may group by others. */
export const keyOfAll = (names: readonly string[], values: readonly string[]): string =>
  [names.map(nameOf).join(), ...values].join(SEPARATOR)

/** The name of the group of a key, in a night where the rule has a calendar. */
export const groupName = (key: string, night: Night | null): GroupName => ({ key: key + suffixOf(night), night })

const suffixOf = (night: Night | null): string => (night === null ? '' : `${SEPARATOR}${night.start}${SEPARATOR}${night.end}`)

/** By which groups of a rule are ordered: the field's name, then the value. */
export function orderOf({ groupBy }: Pick<CompiledRule, 'groupBy'>, { key }: GroupName): string {
  if (groupBy.mode !== 'first') return key
  return key.startsWith(SEPARATOR) ? key.slice(1) : nameOf(groupBy.fields[0] as string) + SEPARATOR + key
}

/** The fields and values of a group, as an alert shows it. */
export function shownOf({ groupBy }: Pick<CompiledRule, 'groupBy'>, { key, night }: GroupName): Record<string, string> {
  const own = key.slice(0, key.length - suffixOf(night).length)
  const names = groupBy.fields.map(nameOf)
  if (groupBy.mode === 'first') {
    const end = own.startsWith(SEPARATOR) ? own.indexOf(SEPARATOR, 1) : -1
    return end < 0 ? { [names[0] as string]: own } : { [own.slice(1, end)]: own.slice(end + 1) }
  }
  const [, ...values] = own.split(SEPARATOR)
  return Object.fromEntries(names.map((name, place) => [name, values[place] ?? '']))
}

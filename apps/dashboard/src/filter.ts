import type { AlertStatus, AlertType, Severity } from '@tocsin/contracts'
import { SEVERITIES, STATUSES, TYPES } from './vocabulary.ts'

/** What the list shows; an absent list means all. Kept in the address, so that a view can be sent to a colleague. */
export interface AlertFilter {
  readonly status?: readonly AlertStatus[]
  readonly severity?: readonly Severity[]
  readonly type?: readonly AlertType[]
}

/** The address's search part: the filter and, where the subject has several, the organization. */
export interface Search extends AlertFilter {
  readonly org?: string
}

const among = <T extends string>(all: readonly T[], value: unknown): readonly T[] | undefined => {
  const given: readonly unknown[] = Array.isArray(value) ? value : [value]
  const known = all.filter((each) => given.includes(each))
  return known.length === 0 ? undefined : known
}

/** Reads what is known and leaves out what is not: an old or hand-written address still opens. */
export function readSearch(raw: Readonly<Record<string, unknown>>): Search {
  const status = among(STATUSES, raw['status'])
  const severity = among(SEVERITIES, raw['severity'])
  const type = among(TYPES, raw['type'])
  const first: unknown = Array.isArray(raw['org']) ? raw['org'][0] : raw['org']
  const org = typeof first === 'string' ? first : undefined
  return {
    ...(status ? { status } : {}),
    ...(severity ? { severity } : {}),
    ...(type ? { type } : {}),
    ...(org === undefined || org === '' ? {} : { org }),
  }
}

export const filterOf = ({ status, severity, type }: Search): AlertFilter => ({
  ...(status ? { status } : {}),
  ...(severity ? { severity } : {}),
  ...(type ? { type } : {}),
})

export const isFiltered = (filter: AlertFilter): boolean =>
  filter.status !== undefined || filter.severity !== undefined || filter.type !== undefined

/** `?status=active&status=acknowledged`, as the API has it. */
export function parseSearch(text: string): Record<string, unknown> {
  const query = new URLSearchParams(text)
  return Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name)])) satisfies Record<
    string,
    unknown
  >
}

export function stringifySearch(search: Readonly<Record<string, unknown>>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(search))
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== undefined && each !== null) query.append(name, String(each))
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}

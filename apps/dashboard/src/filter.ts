import type { AlertSort, AlertStatus, AlertType, Severity, SortOrder } from '@tocsin/contracts'
import { ORDERS, SEVERITIES, SORTS, STATUSES, TYPES } from './vocabulary.ts'

/** What the list shows; what is absent does not matter. Kept in the address, so that a view can be sent to a colleague. */
export interface AlertFilter {
  readonly status?: readonly AlertStatus[]
  readonly severity?: readonly Severity[]
  readonly type?: readonly AlertType[]
  readonly source?: string
  readonly q?: string
  readonly rule?: string
  readonly subject?: string
  readonly tag?: string
  readonly assignee?: string
  /** Created at or after, and before; RFC 3339. */
  readonly from?: string
  readonly to?: string
  /** Also those that were merged into others. */
  readonly merged?: true
}

export interface AlertOrder {
  readonly sort: AlertSort
  readonly order: SortOrder
}

/** The address's search part: the filter, how the list is shown and, where the subject has several, the organization. */
export interface Search extends AlertFilter, Partial<AlertOrder> {
  /** Whether all that fit are counted. */
  readonly total?: true
  readonly org?: string
}

const first = (value: unknown): unknown => (Array.isArray(value) ? value[0] : value)

const among = <T extends string>(all: readonly T[], value: unknown): readonly T[] | undefined => {
  const given: readonly unknown[] = Array.isArray(value) ? value : [value]
  const known = all.filter((each) => given.includes(each))
  return known.length === 0 ? undefined : known
}

function text(value: unknown): string | undefined {
  const given = first(value)
  return typeof given === 'string' && given.trim() !== '' ? given.trim() : undefined
}

const flag = (value: unknown): true | undefined => (value === true || text(value) === 'true' ? true : undefined)

function time(value: unknown): string | undefined {
  const ms = Date.parse(text(value) ?? '')
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString()
}

/** Reads what is known and leaves out what is not: an old or hand-written address still opens. */
export function readSearch(raw: Readonly<Record<string, unknown>>): Search {
  const read: { readonly [K in keyof Required<Search>]: Search[K] | undefined } = {
    status: among(STATUSES, raw['status']),
    severity: among(SEVERITIES, raw['severity']),
    type: among(TYPES, raw['type']),
    source: text(raw['source']),
    q: text(raw['q']),
    rule: text(raw['rule']),
    subject: text(raw['subject']),
    tag: text(raw['tag']),
    assignee: text(raw['assignee']),
    from: time(raw['from']),
    to: time(raw['to']),
    sort: among(SORTS, first(raw['sort']))?.[0],
    order: among(ORDERS, first(raw['order']))?.[0],
    merged: flag(raw['merged']),
    total: flag(raw['total']),
    org: text(raw['org']),
  }
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined))
}

export function filterOf(search: Search): AlertFilter {
  const { org, sort, order, total, ...filter } = readSearch({ ...search })
  return filter
}

/** The same view of another organization. */
export const ofOrganization = (search: Search, slug: string | undefined): Search =>
  slug === undefined ? search : { ...search, org: slug }

export const orderOf = ({ sort = 'created', order = 'desc' }: Search): AlertOrder => ({ sort, order })

export const isFiltered = (filter: AlertFilter): boolean => Object.keys(filter).length > 0

const JUDGED_LIVE: ReadonlySet<string> = new Set(['status', 'severity', 'type', 'source'] satisfies (keyof AlertFilter)[])
/** Whether the socket can tell what belongs to the list, and the page where: else what is new is only told of. */
export const isLive = (filter: AlertFilter, { sort, order }: AlertOrder): boolean =>
  sort === 'created' && order === 'desc' && Object.keys(filter).every((name) => JUDGED_LIVE.has(name))

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

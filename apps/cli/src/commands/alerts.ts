import type { Alert, AlertPage, AlertSort, AlertWithEvidence, SortOrder } from '@tocsin/contracts'
import { TerminalError } from '@tocsin/errors'
import { ask, describe, fetchJson } from '../api.ts'
import { type Output, plain, plainLines } from '../output.ts'

export interface AlertsAccess {
  readonly url: string
  readonly token: string
  readonly organizationId?: string | undefined
  readonly json?: boolean | undefined
  readonly output: Output
}

/** As the API names them; absent: no such filter. */
export interface ListFilters {
  readonly status?: readonly string[]
  readonly severity?: readonly string[]
  readonly type?: readonly string[]
  readonly rule?: string
  readonly subject?: string
  readonly assignee?: string
  readonly tag?: string
  readonly q?: string
  /** RFC 3339. */
  readonly since?: string
  readonly sort: AlertSort
  readonly order: SortOrder
  readonly limit: number
}

export interface ListOptions extends AlertsAccess {
  readonly filters: ListFilters
  /** ms since 1970. */
  readonly now: number
}

/** `tocsin alerts ls`. */
export async function listAlerts(options: ListOptions): Promise<number> {
  const query = queryOf(options)
  const { since, ...filters } = options.filters
  for (const [name, value] of Object.entries({ ...filters, ...(since === undefined ? {} : { from: since }) }))
    for (const each of Array.isArray(value) ? value : [value]) query.append(name, String(each))
  const page = await fetchJson<AlertPage>(`${options.url}/api/alerts?${query}`, { token: options.token })
  if (options.json === true) options.output.result(JSON.stringify(page))
  else if (page.items.length === 0) options.output.result('no alerts')
  else options.output.result(page.items.map((alert) => lineOf(alert, options.now)).join('\n'))
  return 0
}

/** `tocsin alerts show ID`: everything about it, as JSON. */
export async function showAlert(options: AlertsAccess & { readonly id: string }): Promise<number> {
  const url = `${options.url}/api/alerts/${encodeURIComponent(options.id)}?${queryOf(options)}`
  const alert = await fetchJson<AlertWithEvidence>(url, { token: options.token })
  options.output.result(options.json === true ? JSON.stringify(alert) : plainLines(JSON.stringify(alert, null, 2)))
  return 0
}

/** A request that acts on one alert. */
export interface Act {
  readonly method: 'POST' | 'PUT'
  /** After `/api/alerts/ID/`. */
  readonly path: string
  readonly body?: Readonly<Record<string, unknown>> | undefined
}

/** What the alert's state does not allow, and what somebody else did first. */
const NOT_ALLOWED_NOW = new Set([409, 412])

/** `tocsin alerts ack ID` and its kin. 3: the alert is not as it would have to be; the line says how it is, and who was first. */
export async function actOn(
  options: AlertsAccess & { readonly id: string; readonly act: Act; readonly ifVersion?: number | undefined },
): Promise<number> {
  const { act, ifVersion, output } = options
  const answer = await ask(`${options.url}/api/alerts/${encodeURIComponent(options.id)}/${act.path}?${queryOf(options)}`, {
    method: act.method,
    token: options.token,
    headers: {
      'x-tocsin-channel': 'cli',
      ...(ifVersion === undefined ? {} : { 'if-match': `"${ifVersion}"` }),
    },
    ...(act.body === undefined ? {} : { body: JSON.stringify(act.body) }),
  })
  if (NOT_ALLOWED_NOW.has(answer.status)) {
    output.note(plain(describe(answer)))
    if (options.json === true) output.result(JSON.stringify(answer.body))
    return 3
  }
  if (answer.status >= 400) throw new TerminalError(describe(answer))
  const alert = answer.body as Alert
  output.result(options.json === true ? JSON.stringify(alert) : plain(`${alert.id} ${alert.status} version ${alert.version}`))
  return 0
}

function queryOf({ organizationId }: AlertsAccess): URLSearchParams {
  return new URLSearchParams(organizationId === undefined ? {} : { organizationId })
}

const lineOf = (alert: Alert, now: number): string =>
  plain(
    [
      alert.severity.padEnd(8),
      alert.status.padEnd(12),
      ageOf(now - Date.parse(alert.createdAt)).padStart(4),
      alert.id,
      alert.title,
      Object.entries(alert.group)
        .map(([field, value]) => `${field}=${value}`)
        .join(' '),
      `count ${alert.count}`,
    ].join('  '),
  )

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** A duration in ms in its largest whole unit: `3d`, `5m`. */
export function ageOf(ms: number): string {
  const [unit, size] = UNITS.find(([, each]) => ms >= each) ?? ['s', 1_000]
  return `${Math.max(0, Math.floor(ms / size))}${unit}`
}

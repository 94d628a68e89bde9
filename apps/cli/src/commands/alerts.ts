import type { Alert, AlertPage } from '@tocsin/contracts'
import { fetchJson } from '../api.ts'
import { type Output, plain } from '../output.ts'

export interface AlertsAccess {
  readonly url: string
  readonly token: string
  readonly organizationId?: string | undefined
  readonly json?: boolean | undefined
  readonly output: Output
}

export interface ListOptions extends AlertsAccess {
  readonly status: readonly string[]
  readonly severity: readonly string[]
  readonly limit: number
  /** ms since 1970. */
  readonly now: number
}

/** `tocsin alerts ls`: newest first. */
export async function listAlerts(options: ListOptions): Promise<number> {
  const query = queryOf(options)
  query.set('limit', String(options.limit))
  for (const status of options.status) query.append('status', status)
  for (const severity of options.severity) query.append('severity', severity)
  const page = await fetchJson<AlertPage>(`${options.url}/api/alerts?${query}`, { token: options.token })
  if (options.json === true) options.output.result(JSON.stringify(page))
  else if (page.items.length === 0) options.output.result('no alerts')
  else options.output.result(page.items.map((alert) => lineOf(alert, options.now)).join('\n'))
  return 0
}

/** `tocsin alerts ack ID` and `resolve ID`. */
export async function actOn(
  options: AlertsAccess & {
    readonly id: string
    readonly action: 'acknowledge' | 'resolve'
    readonly notes?: string | undefined
  },
): Promise<number> {
  const url = `${options.url}/api/alerts/${encodeURIComponent(options.id)}/${options.action}?${queryOf(options)}`
  const alert = await fetchJson<Alert>(url, {
    method: 'POST',
    token: options.token,
    ...(options.action === 'resolve' ? { body: JSON.stringify({ notes: options.notes }) } : {}),
  })
  options.output.result(options.json === true ? JSON.stringify(alert) : plain(`${alert.id} ${alert.status}`))
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

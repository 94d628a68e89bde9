import { Readable } from 'node:stream'
import { alertFor } from '@tocsin/access'
import { type Alert, type ExportFormat, OPERATIONS_TABLE, type Permission } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool } from '@tocsin/postgres'
import { type CsvCell, csvLine } from '../core/csv.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import type { AlertFilter, ListedAlert, ListPlace } from '../repositories/alert-list.ts'
import { addHistory } from '../repositories/history.ts'
import { alertListOf, filterOf, refuseBadValue } from './alert-filter.ts'
import { authorizeCaller } from './authentication.ts'
import { originOf } from './headers.ts'

/** Alerts read at a time: about a megabyte, which is all that an export holds. */
const BATCH = 250
/** At once for an organization, of this instance (security.md §6). */
const MOST_AT_ONCE = 2

export interface AlertExportRoute {
  readonly pool: Pool
  readonly cipher: FieldCipher
}

/**
 * Exports read batch after batch, each in a transaction of its own and only when the client has taken the one before: what changes meanwhile
 * is told as it is when its batch is read, and an alert that is raised meanwhile is not among them.
 */
export function alertExportRoute(app: HttpServer, { pool, cipher }: AlertExportRoute): void {
  const running = new Map<string, number>()
  const change = (organizationId: string, by: number) => {
    const next = (running.get(organizationId) ?? 0) + by
    if (next === 0) running.delete(organizationId)
    else running.set(organizationId, next)
  }

  route(app, OPERATIONS_TABLE.exportAlerts, async ({ query: asked, request, reply }) => {
    const { organizationId, actor, permissions } = authorizeCaller(request, {
      organizationId: asked.organizationId,
      permission: 'alerts:export',
      what: 'organization',
    })
    const filter = filterOf(asked, permissions)
    const format = asked.format ?? 'ndjson'
    if ((running.get(organizationId) ?? 0) >= MOST_AT_ONCE)
      throw new HttpProblem(429, 'TOO_MANY_EXPORTS', `${MOST_AT_ONCE} exports run already. Try again when one has ended.`, {
        headers: { 'retry-after': '30' },
      })
    change(organizationId, 1)
    try {
      await cipher.load([organizationId])
      const read = (after: ListPlace | null) => readBatch(pool, cipher, organizationId, filter, after)
      // Before the first byte, while a fault can still be answered with its status.
      const first = await read(null).catch(refuseBadValue)
      await inOrganization(pool, organizationId, (query) =>
        addHistory(query, cipher, {
          organizationId,
          at: new Date().toISOString(),
          actor,
          ...originOf(request),
          action: 'alerts.exported',
          about: { kind: 'organization', id: organizationId },
          details: { format, filter },
        }),
      )
      const { type, head, line } = FORMATS[format]
      const lines = Readable.from(linesOf(first, read, permissions, head, line))
      lines.once('close', () => change(organizationId, -1))
      reply.header('content-disposition', `attachment; filename="alerts.${format}"`)
      reply.type(type)
      return lines
    } catch (error) {
      change(organizationId, -1)
      throw error
    }
  })
}

const readBatch = (pool: Pool, cipher: FieldCipher, organizationId: string, filter: AlertFilter, after: ListPlace | null) =>
  inOrganization(
    pool,
    organizationId,
    async (query) => {
      return alertListOf(query, organizationId, filter).page(cipher, { sort: 'created', order: 'desc' }, after, BATCH)
    },
    'snapshot',
  )

/** One text for each batch; the next batch is read when the text before was taken. */
async function* linesOf(
  first: readonly ListedAlert[],
  read: (after: ListPlace) => Promise<readonly ListedAlert[]>,
  permissions: ReadonlySet<Permission>,
  head: string,
  line: (alert: Alert) => string,
): AsyncGenerator<string> {
  yield head
  for (let batch = first; ; ) {
    yield batch.map(({ alert }) => line(alertFor(permissions, alert))).join('')
    const last = batch.at(-1)
    if (last === undefined || batch.length < BATCH) return
    batch = await read(last.place)
  }
}

const CSV_COLUMNS = {
  id: ({ id }) => id,
  severity: ({ severity }) => severity,
  type: ({ type }) => type,
  status: ({ status }) => status,
  title: ({ title }) => title,
  description: ({ description }) => description,
  source: ({ source }) => source,
  ruleId: ({ rule }) => rule.id,
  ruleName: ({ rule }) => rule.name,
  group: ({ group }) => JSON.stringify(group),
  count: ({ count }) => count,
  firstSeen: ({ firstSeen }) => firstSeen,
  lastSeen: ({ lastSeen }) => lastSeen,
  createdAt: ({ createdAt }) => createdAt,
  updatedAt: ({ updatedAt }) => updatedAt,
  assignee: ({ assignee }) => assignee,
  acknowledgedAt: ({ acknowledgedAt }) => acknowledgedAt,
  acknowledgedBy: ({ acknowledgedBy }) => acknowledgedBy,
  resolvedAt: ({ resolvedAt }) => resolvedAt,
  resolvedBy: ({ resolvedBy }) => resolvedBy,
  resolutionNotes: ({ resolutionNotes }) => resolutionNotes,
  dismissedAt: ({ dismissedAt }) => dismissedAt,
  dismissedBy: ({ dismissedBy }) => dismissedBy,
  dismissReason: ({ dismissReason }) => dismissReason,
  tags: ({ tags }) => tags.join(' '),
  labels: ({ labels }) => labels.join(' '),
} as const satisfies Record<string, (alert: Alert) => CsvCell>

const FORMATS: Readonly<
  Record<ExportFormat, { readonly type: string; readonly head: string; readonly line: (alert: Alert) => string }>
> = {
  ndjson: { type: 'application/x-ndjson', head: '', line: (alert) => `${JSON.stringify(alert)}\n` },
  csv: {
    type: 'text/csv; charset=utf-8',
    head: csvLine(Object.keys(CSV_COLUMNS)),
    line: (alert) => csvLine(Object.values(CSV_COLUMNS).map((cell) => cell(alert))),
  },
}

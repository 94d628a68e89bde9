/**
 * What people wait for, asked of the real process over HTTP, one request after the other: lists, statistics, search, acknowledging, export.
 * All on one database of many alerts, made by formula (seed.ts).
 */
import { type Alert, type AlertPage, type AlertStatusChange, HEADERS, TOPICS } from '@tocsin/contracts'
import { followTopic, headerOf } from '@tocsin/kafka'
import type { BenchContext, PartResult } from '../bench.ts'
import { seededRandom } from '../random.ts'
import { failedRow, quantileOf, type Row } from '../report.ts'
import { Installation, type PersistenceProcess } from './installation.ts'
import { LARGE, ORGANIZATIONS, organizationIdOf, seedAlerts, subjectOf } from './seed.ts'

const SEED = 5
const ROUNDS = 400
const FEW_ROUNDS = 20
const PAGE = 50
const DEEP_PAGE = 1_000
/** The most that the API gives at once: so the thousandth page is soon reached. */
const STRIDE = 500
const RECORD_LIMIT_MS = 30_000
const THREE_FILTERS = [
  'status=active&status=acknowledged&severity=CRITICAL&severity=HIGH&type=SECURITY',
  'status=resolved&severity=MEDIUM&source=detector',
  'status=dismissed&type=COMPLIANCE&type=SYSTEM&source=monitor',
] as const
/** Deep pages need many that fit. */
const THREE_WIDE =
  'status=resolved&status=dismissed&severity=HIGH&severity=MEDIUM&severity=LOW&type=SECURITY&type=COMPLIANCE&type=PERFORMANCE'
/** A principal, an address, a rule and a common word, as somebody begins to type them; and two words. */
const SEARCHES = (at: number) => [
  `user-${at % 5_000}`,
  `10.${at % 200}.${at % 250}`,
  `team.${at % 20}`,
  'failed',
  `rule 1${at % 10}`,
  `user-${at % 5_000} sign-ins`,
]

export async function benchReading(context: BenchContext): Promise<PartResult> {
  const { alerts, say, wanted } = context
  const installation = await Installation.create(context)
  await installation.withCipher((cipher) => seedAlerts(installation.adminUrl, cipher, alerts, say))
  const service = await installation.start()
  const rows: Row[] = []
  try {
    const reader = new Reader(installation, service)
    const parts = {
      lists: () => lists(reader, say),
      statistics: () => statistics(reader),
      search: () => search(reader),
      acknowledge: () => acknowledge(reader, installation),
      export: () => exporting(reader, service),
    }
    for (const [part, measure] of Object.entries(parts)) {
      if (!wanted(part)) continue
      // Making the alerts takes long: one part that fails does not throw away what the others measured.
      rows.push(...(await measure().catch((error: unknown) => [failedRow(part, error)])))
    }
  } finally {
    await service.stop()
    await installation.close()
  }
  const number = (value: number) => value.toLocaleString('en-US')
  return {
    what:
      `Reading: ${number(alerts)} alerts of ${ORGANIZATIONS} organizations in rows of 2 KB, evidence not seeded; one of ${number(alerts / 25)}, one of ${number(alerts / 5)}; ` +
      `${ROUNDS} requests each, one after the other, over HTTP with a token, ${PAGE} alerts a page; first pages of all organizations in turn, the ${number(DEEP_PAGE)}th page of the two large ones. ` +
      'Statistics are cold: never asked before. Searches: a principal, an address, a tag, a common word, two words, in turn.',
    rows,
  }
}

const atMost = (figure: string, unit: string, got: number, value: number): Row => ({
  figure,
  unit,
  got,
  reach: { op: '<=', value },
})
const p99 = (figure: string, took: readonly number[], value: number): Row[] => [
  { figure: `${figure}, p50`, unit: 'ms', got: quantileOf(took, 0.5), reach: null },
  atMost(`${figure}, p99`, 'ms', quantileOf(took, 0.99), value),
]

/** Asks as an admin of the organization that is asked about. */
class Reader {
  readonly #installation: Installation
  readonly #service: PersistenceProcess
  readonly #tokens = new Map<number, string>()

  constructor(installation: Installation, service: PersistenceProcess) {
    this.#installation = installation
    this.#service = service
  }

  async fetch(organization: number, path: string, init: RequestInit = {}): Promise<Response> {
    const token = this.#tokens.get(organization) ?? (await this.#installation.token(subjectOf(organization)))
    this.#tokens.set(organization, token)
    const answer = await fetch(`${this.#service.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}` } })
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
    return answer
  }

  /** The answer, and milliseconds until all of it was there. */
  async get<T>(organization: number, path: string): Promise<{ readonly body: T; readonly took: number }> {
    const begun = performance.now()
    const text = await (await this.fetch(organization, path)).text()
    const took = performance.now() - begun
    return { body: JSON.parse(text) as T, took }
  }

  page(organization: number, query: string, cursor: string | null = null) {
    return this.get<AlertPage>(organization, `/api/alerts?${query}${cursor === null ? '' : `&cursor=${cursor}`}`)
  }
}

async function lists(reader: Reader, say: (line: string) => void): Promise<Row[]> {
  const first = async (query: (round: number) => string) => {
    const took: number[] = []
    // Once each, so that connections and keys are there.
    for (let organization = 0; organization < ORGANIZATIONS; organization++) await reader.page(organization, `limit=${PAGE}`)
    for (let round = 0; round < ROUNDS; round++)
      took.push((await reader.page(round % ORGANIZATIONS, `limit=${PAGE}&${query(round)}`)).took)
    return took
  }
  const deep = async (query: string) => {
    const took: number[] = []
    for (const organization of Object.values(LARGE)) {
      const cursor = await deepCursor(reader, organization, query)
      if (cursor === null) {
        say(`organization ${organization} has no ${DEEP_PAGE}th page of ${query === '' ? 'all' : query}: make more alerts`)
        continue
      }
      for (let round = 0; round < ROUNDS / 2; round++)
        took.push((await reader.page(organization, `limit=${PAGE}&${query}`, cursor)).took)
    }
    return took
  }
  const deepRows = (figure: string, took: readonly number[]): Row[] =>
    took.length === 0 ? [{ figure, unit: 'ms', got: 'no organization has so many', reach: null }] : p99(figure, took, 30)
  return [
    ...p99('list newest first, first page', await first(() => ''), 30),
    ...deepRows('list newest first, 1,000th page', await deep('')),
    ...p99('list with three filters, first page', await first((round) => THREE_FILTERS[round % THREE_FILTERS.length] ?? ''), 30),
    ...deepRows('list with three filters, 1,000th page', await deep(THREE_WIDE)),
  ]
}

/** Of the page after `DEEP_PAGE` - 1 others; null: there is none. */
async function deepCursor(reader: Reader, organization: number, query: string): Promise<string | null> {
  let cursor: string | null = null
  for (let seen = 0; seen < (DEEP_PAGE - 1) * PAGE; seen += STRIDE) {
    const left = (DEEP_PAGE - 1) * PAGE - seen
    const { body }: { body: AlertPage } = await reader.page(organization, `limit=${Math.min(STRIDE, left)}&${query}`, cursor)
    cursor = body.nextCursor
    if (cursor === null) return null
  }
  return cursor
}

async function statistics(reader: Reader): Promise<Row[]> {
  const took: number[] = []
  for (let round = 0; round < FEW_ROUNDS; round++) {
    const from = new Date(Date.UTC(1990, 0, 1 + round)).toISOString()
    took.push((await reader.get(LARGE.statistics, `/api/alerts/statistics?from=${from}`)).took)
  }
  return [
    { figure: 'statistics of a large organization, cold, p50', unit: 'ms', got: quantileOf(took, 0.5), reach: null },
    atMost('statistics of a large organization, cold, largest', 'ms', quantileOf(took, 1), 300),
  ]
}

async function search(reader: Reader): Promise<Row[]> {
  const random = seededRandom(SEED)
  const took: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const searches = SEARCHES(Math.floor(random() * 5_000))
    const q = searches[round % searches.length] ?? ''
    took.push((await reader.page(LARGE.statistics, `limit=${PAGE}&q=${encodeURIComponent(q)}`)).took)
  }
  return p99('search among the alerts of a large organization', took, 100)
}

/** From the request to the record at a consumer. */
async function acknowledge(reader: Reader, installation: Installation): Promise<Row[]> {
  const seen = new Map<string, number>()
  let wake = () => {}
  const following = followTopic({
    kafka: installation.kafka,
    topic: TOPICS.alerts.name,
    onRecord: (record) => {
      if (record.value === null || headerOf(record, HEADERS.type) !== 'alert.acknowledged') return
      seen.set((JSON.parse(record.value.toString()) as AlertStatusChange).id, performance.now())
      wake()
    },
  })
  const took: number[] = []
  try {
    await following.caughtUp
    const active: Alert[] = (await reader.page(LARGE.statistics, `limit=${STRIDE}&status=active`)).body.items.slice(0, ROUNDS)
    for (const { id, organizationId } of active) {
      if (organizationId !== organizationIdOf(LARGE.statistics)) throw new Error('an alert of another organization was listed')
      const begun = performance.now()
      await (await reader.fetch(LARGE.statistics, `/api/alerts/${id}/acknowledge`, { method: 'POST' })).body?.cancel()
      while (!seen.has(id)) {
        if (performance.now() - begun > RECORD_LIMIT_MS) throw new Error(`the acknowledgement of ${id} did not come to the topic`)
        const { promise, resolve } = Promise.withResolvers<void>()
        wake = resolve
        const timer = setTimeout(resolve, RECORD_LIMIT_MS)
        await promise
        clearTimeout(timer)
      }
      took.push((seen.get(id) ?? Number.NaN) - begun)
    }
  } finally {
    await following.stop()
  }
  return p99('acknowledge → `alerts` topic', took, 150)
}

async function exporting(reader: Reader, service: PersistenceProcess): Promise<Row[]> {
  const answer = await reader.fetch(LARGE.export, '/api/alerts/export?format=ndjson')
  const resident: number[] = []
  let lines = 0
  let sampledAt = 0
  const begun = performance.now()
  for await (const piece of answer.body ?? []) {
    for (const byte of piece) if (byte === 10) lines += 1
    if (performance.now() - sampledAt < 200) continue
    sampledAt = performance.now()
    resident.push(service.residentMiB())
  }
  const seconds = (performance.now() - begun) / 1_000
  const tenth = Math.max(1, Math.floor(resident.length / 10))
  const [early, late] = [Math.max(...resident.slice(0, tenth * 2)), Math.max(...resident.slice(-tenth * 2))]
  return [
    { figure: 'export: alerts', unit: '', got: lines, reach: null },
    { figure: 'export: speed', unit: 'alerts/s', got: lines / seconds, reach: null },
    { figure: 'export: resident memory, most in the first fifth', unit: 'MiB', got: early, reach: null },
    { figure: 'export: resident memory, most in the last fifth', unit: 'MiB', got: late, reach: null },
    atMost('export: memory at the end against the beginning', '×', late / early, 1.2),
  ]
}

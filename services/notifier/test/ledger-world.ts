import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { AlertFigures, AlertRecordType, AlertStatusChange, Recipients, TenantRecord } from '@tocsin/contracts'
import { createPool, migrate, type Pool, type Query, queryOf } from '@tocsin/postgres'
import { createLogger } from '@tocsin/telemetry'
import { createTestDatabase } from '@tocsin/testing'
import { type BreakerSettings, Breakers } from '../src/breakers.ts'
import { type Accepted, type Channel, DeliveryFault, type SendContext, type Telling } from '../src/channels/channel.ts'
import { alertWith } from '../src/channels/stand-ins/telling.ts'
import { Courier } from '../src/courier.ts'
import { type AlertRecord, type Applied, applyBatch } from '../src/ledger/apply.ts'
import type { Claimed, Outcome, Recorded } from '../src/ledger/deliveries.ts'
import type { Organization } from '../src/organizations.ts'
import type { ChannelName } from '../src/plan/vocabulary.ts'

export const silent = createLogger('test', process.env['LOG_LEVEL'] ?? 'silent')
const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url))

/** The tables of the notifier, made once for a run. */
export const TEMPLATE = {
  name: 'notifier',
  prepare: async (urls: Readonly<Record<'tocsin_owner', string>>) => {
    await migrate(urls.tocsin_owner, { directory: MIGRATIONS, schema: 'notifier', log: silent })
  },
}

export function figuresOf(organizationId: string, fields: Partial<AlertFigures> = {}): AlertFigures {
  const { status: _status, ...alert } = alertWith({})
  const now = new Date().toISOString()
  const { id, severity, title, description, type, source, rule, pattern, group, window, firstSeen, lastSeen } = {
    ...alert,
    id: randomUUID(),
  }
  const base = {
    id,
    organizationId,
    severity,
    title,
    description,
    type,
    source,
    rule,
    pattern,
    group,
    window,
    firstSeen,
    lastSeen,
  }
  const rest = {
    count: 5,
    peak: 5,
    revision: 1,
    open: true,
    backfilled: false,
    metadata: {},
    tags: [],
    runbook: null,
    correlationId: null,
  }
  return { ...base, ...rest, createdAt: now, updatedAt: now, evidence: [], ...fields }
}

export const statusOf = (
  figures: AlertFigures,
  status: AlertStatusChange['changes']['status'],
  version = 1,
): AlertStatusChange => ({
  id: figures.id,
  organizationId: figures.organizationId,
  version,
  actor: 'ada',
  updatedAt: new Date().toISOString(),
  changes: { ...(status === undefined ? {} : { status }) },
})

/** A channel of the tests: keeps what it took and does as it is told. */
export class ScriptedChannel implements Channel<Telling> {
  readonly name: ChannelName
  readonly sent: { readonly destination: string; readonly telling: Telling; readonly previous: SendContext['previous'] }[] = []
  /** Called before a message is accepted; rejects to refuse it. */
  before: (context: SendContext, telling: Telling) => Promise<void> = async () => undefined

  constructor(name: ChannelName) {
    this.name = name
  }
  render = (telling: Telling): Telling => telling
  async send(telling: Telling, context: SendContext): Promise<Accepted> {
    await this.before(context, telling)
    this.sent.push({ destination: context.destination, telling, previous: context.previous })
    const providerId = `${this.name}-${this.sent.length}`
    return { providerId, ref: context.previous ?? { id: providerId } }
  }
  close(): void {}
}

export const refuse =
  (effect: 'retry' | 'destination' | 'message', code: string, retryAfterMs: number | null = null) =>
  async () => {
    throw new DeliveryFault(effect, code, retryAfterMs)
  }

export interface LedgerWorld {
  readonly pool: Pool
  readonly admin: Query
  readonly organizations: Map<string, Organization>
  newOrganization(recipients?: Partial<Recipients>, settings?: TenantRecord['settings']): string
  /** Applies records as one batch of a partition of their own offset order. */
  apply(...records: AlertRecord[]): Promise<Applied>
  courier(channels: readonly Channel<Telling>[], breaker?: Partial<BreakerSettings>, pool?: Pool): TestCourier
  /** A pool of its own that can be cut off from the real database, as by a network that is down. */
  breakableDatabase(): { readonly pool: Pool; away(away: boolean): void; refusals(): number }
  deliveries(alertId: string): Promise<DeliveryRow[]>
  notifications(alertId: string): Promise<{ readonly change: string; readonly status: string; readonly reason: string | null }[]>
  close(): Promise<void>
}
export interface DeliveryRow {
  readonly channel: string
  readonly destination: string
  readonly change: string
  readonly status: string
  readonly reason: string | null
  readonly attempts: number
  readonly late: boolean
}
export interface TestCourier {
  readonly courier: Courier
  readonly outcomes: { readonly delivery: Claimed; readonly outcome: Outcome; readonly recorded: Recorded }[]
}

export const created = (value: AlertFigures): AlertRecord => ({ half: 'figures', type: 'alert.created', value })
export const revised = (value: AlertFigures, type: AlertRecordType = 'alert.revised'): AlertRecord => ({
  half: 'figures',
  type,
  value,
})
export const acted = (value: AlertStatusChange): AlertRecord => ({
  half: 'status',
  type: `alert.${value.changes.status ?? 'commented'}` as AlertRecordType,
  value,
})
/** Most sends at once of each courier. */
export const CONCURRENCY = 16
/** Delays of the development organization. */
export const AT_ONCE = { notificationDelaysMs: { CRITICAL: 0, HIGH: 0, MEDIUM: 0, LOW: 0, INFO: 0 } }

export async function createLedgerWorld(): Promise<LedgerWorld> {
  const database = await createTestDatabase(TEMPLATE)
  const pool = createPool(database.urls.tocsin_notifier, { name: 'notifier', max: 12, log: silent })
  const adminPool = createPool(`${database.adminUrl}?options=-c%20search_path%3Dnotifier`, { name: 'admin', max: 2, log: silent })
  const admin = queryOf(adminPool)
  const organizations = new Map<string, Organization>()
  const directory = { of: (id: string) => organizations.get(id) }
  const couriers: Courier[] = []
  const pools: Pool[] = []
  let next = 0n
  await admin(`INSERT INTO offsets (topic, partition, next, cluster_id) VALUES ('alerts', 0, 0, 'here')`)
  return {
    pool,
    admin,
    organizations,
    newOrganization: (recipients = { emails: ['ops@example.org'] }, settings = AT_ONCE) => {
      const id = randomUUID()
      organizations.set(id, {
        name: 'Test',
        version: 1,
        settings,
        recipients: { emails: [], slackChannels: [], phoneNumbers: [], ...recipients },
      })
      return id
    },
    apply: async (...records) => {
      const from = next
      const items = records.map((value, index) => ({ record: { offset: from + BigInt(index), appendTime: Date.now() }, value }))
      const to = from + BigInt(records.length)
      const outcome = await applyBatch(pool, directory, { topic: 'alerts', partition: 0, from, to, items })
      if (outcome !== 'moved') next = to
      return outcome
    },
    courier: (channels, breaker = {}, ownPool = pool) => {
      const outcomes: TestCourier['outcomes'] = []
      const settings = {
        timeoutMs: 2_000,
        errorThresholdPercentage: 50,
        volumeThreshold: 5,
        rollingCountMs: 60_000,
        resetMs: 500,
        idleMs: 60_000,
      }
      const courier = new Courier({
        pool: ownPool,
        organizations: directory,
        channels: new Map(channels.map((channel) => [channel.name, channel as Channel<unknown>])),
        breakers: new Breakers({ ...settings, ...breaker }, () => undefined),
        publicUrl: 'http://127.0.0.1:1',
        organizationName: () => 'Test',
        withConsole: false,
        concurrency: CONCURRENCY,
        log: silent,
        random: () => 0,
        onDatabase: () => undefined,
        onOutcome: (delivery, outcome, recorded) => outcomes.push({ delivery, outcome, recorded }),
      })
      couriers.push(courier)
      courier.start()
      return { courier, outcomes }
    },
    breakableDatabase: () => {
      const own = createPool(database.urls.tocsin_notifier, { name: 'breakable', max: 4, log: silent })
      pools.push(own)
      let isAway = false
      let refused = 0
      const connect = own.connect.bind(own)
      // pg's own query() calls it with a callback, transaction() without.
      own.connect = ((callback?: (error: Error) => void) => {
        if (!isAway) return callback === undefined ? connect() : connect(callback as never)
        refused += 1
        const error = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
        return callback === undefined ? Promise.reject(error) : callback(error)
      }) as typeof own.connect
      return {
        pool: own,
        away: (away) => {
          isAway = away
        },
        refusals: () => refused,
      }
    },
    deliveries: (alertId) =>
      admin<DeliveryRow>(
        'SELECT channel, destination, change, status, reason, attempts, late FROM deliveries WHERE alert_id = $1 ORDER BY made_at, channel, destination',
        [alertId],
      ),
    notifications: (alertId) =>
      admin('SELECT change, status, reason FROM notifications WHERE alert_id = $1 ORDER BY created_at, change', [alertId]),
    close: async () => {
      for (const courier of couriers) await courier.stop()
      for (const own of pools) await own.end()
      await pool.end()
      await adminPool.end()
      await database.drop()
    },
  }
}

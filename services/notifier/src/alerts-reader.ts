import {
  AlertErased,
  AlertFigures,
  type AlertRecordType,
  AlertStatusChange,
  ERASED_RECORD_TYPE,
  FIGURE_RECORD_TYPES,
  HEADERS,
  STATUS_RECORD_TYPES,
  TOPICS,
} from '@tocsin/contracts'
import { messageOf, TerminalError } from '@tocsin/errors'
import {
  type Disposition,
  deadLettered,
  done,
  dropped,
  halt,
  headerOf,
  type Kafka,
  type KafkaRecord,
  type Producer,
  type RunningConsumer,
  runConsumer,
} from '@tocsin/kafka'
import { type Pool, queryOf } from '@tocsin/postgres'
import { Compile } from 'typebox/compile'
import { applyBatch, type LedgerRecord } from './ledger/apply.ts'
import * as sql from './ledger/sql.ts'
import type { Organizations } from './organizations.ts'

/** Records in one transaction: enough to catch up quickly, few enough that a row is not locked for long. */
const BATCH_RECORDS = 100

const figures = Compile(AlertFigures)
const statusChange = Compile(AlertStatusChange)
const erased = Compile(AlertErased)
const FIGURES: ReadonlySet<string> = new Set(FIGURE_RECORD_TYPES)
const STATUS: ReadonlySet<string> = new Set(STATUS_RECORD_TYPES)

/** First look at a record of `alerts`: pure. Fields that a later release adds are ignored. */
export function readAlertRecord(record: KafkaRecord): { readonly kind: 'take'; readonly value: LedgerRecord } | Disposition {
  const type = headerOf(record, HEADERS.type)
  if (type === undefined) return deadLettered('UNKNOWN_TYPE', `the header ${HEADERS.type} is missing`)
  if (!FIGURES.has(type) && !STATUS.has(type) && type !== ERASED_RECORD_TYPE)
    return halt(`unknown record type ${type.slice(0, 64)}`)
  let value: unknown
  try {
    value = JSON.parse(record.value?.toString() ?? '')
  } catch (error) {
    return deadLettered('MALFORMED', `not JSON: ${messageOf(error).slice(0, 200)}`)
  }
  if (type === ERASED_RECORD_TYPE) {
    if (!erased.Check(value)) return deadLettered('INVALID', faultOf(erased.Errors(value)))
    return { kind: 'take', value: { half: 'none', type, value } }
  }
  if (FIGURES.has(type)) {
    if (!figures.Check(value)) return deadLettered('INVALID', faultOf(figures.Errors(value)))
    return { kind: 'take', value: { half: 'figures', type: type as AlertRecordType, value } }
  }
  if (!statusChange.Check(value)) return deadLettered('INVALID', faultOf(statusChange.Errors(value)))
  return { kind: 'take', value: { half: 'status', type: type as AlertRecordType, value } }
}

function faultOf(errors: Iterable<{ readonly instancePath: string; readonly message: string }>): string {
  const [first] = errors
  return first === undefined ? 'not valid' : `${first.instancePath} ${first.message}`
}

export interface AlertsReaderOptions {
  readonly kafka: Kafka
  readonly producer: Producer
  readonly pool: Pool
  readonly organizations: Organizations
  /** Reads `tenants` to its present end. */
  readonly catchUpOrganizations: () => Promise<void>
  readonly onPlanned: () => void
  readonly count: (outcome: 'planned' | 'stale' | 'moved') => void
}

/** Plans from `alerts`, each record once: the offset lies in PostgreSQL and moves with the plan. */
export function readAlerts(options: AlertsReaderOptions): RunningConsumer {
  const { kafka, producer, pool, organizations } = options
  return runConsumer<LedgerRecord>({
    kafka,
    producer,
    groupId: 'notifier',
    topics: [TOPICS.alerts.name],
    maxBatch: BATCH_RECORDS,
    read: readAlertRecord,
    offsets: { load: ({ topic, partition }) => loadOffset(kafka, pool, topic, partition) },
    handleBatch: async (batch) => {
      // Settings precede an organization's first alert on their topic, but another reader carries them here.
      const unknown = batch.items.some(({ value }) => organizations.of(value.value.organizationId) === undefined)
      if (unknown) await options.catchUpOrganizations()
      // What a deleted organization's alerts still say is not let in; that they are gone is.
      const late = new Set(
        batch.items.filter(({ value: { half, value } }) => half !== 'none' && organizations.isDeleted(value.organizationId)),
      )
      const outcomes = await applyBatch(pool, organizations, { ...batch, items: batch.items.filter((item) => !late.has(item)) })
      if (outcomes === 'moved') {
        options.count('moved')
        return 'moved'
      }
      for (const outcome of outcomes) options.count(outcome)
      options.onPlanned()
      const applied = outcomes.values()
      return batch.items.map((item) => {
        if (late.has(item)) return dropped('organizationDeleted')
        return applied.next().value === 'stale' ? dropped('stale half') : done
      })
    },
  })
}

/**
 * The next offset to read. Throws TerminalError (TOCSIN_OFFSETS_MISMATCH), which halts the partition, when the row belongs to another
 * cluster: going on would leave out alerts in silence. That it lies within the log is libs/kafka's to check.
 */
export async function loadOffset(kafka: Pick<Kafka, 'clusterId'>, pool: Pool, topic: string, partition: number): Promise<bigint> {
  const query = queryOf(pool)
  const clusterId = await kafka.clusterId()
  await query(sql.ENSURE_OFFSET, [topic, partition, clusterId])
  const [row] = await query<{ next: bigint; clusterId: string }>(sql.READ_OFFSET, [topic, partition])
  if (row === undefined) throw new TerminalError(`The offset row of ${topic}/${partition} has vanished`)
  if (row.clusterId !== clusterId) {
    throw new TerminalError(
      `The notifier's offset of ${topic}/${partition} belongs to the Kafka cluster ${row.clusterId}, and this is ${clusterId}; if Kafka was ` +
        'replaced on purpose, run: tocsin offsets reset',
      { code: 'TOCSIN_OFFSETS_MISMATCH', details: { topic, partition } },
    )
  }
  return row.next
}

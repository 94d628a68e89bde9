/**
 * Applies the records of `alerts` to PostgreSQL.
 *
 * 1. Once each: the offset moves in the transaction of the effect, compared with the one this instance began from. Where another
 *    instance has gone on meanwhile, nothing is written and the offset is read again.
 * 2. A half that is not newer than the row's is dropped; neither half touches the other (design §5.2).
 * 3. While PostgreSQL is away the partition waits (RetryableError); nothing is dropped or dead-lettered for it.
 * 4. What new figures mean for the status (core/system-act.ts) is done in the same transaction, as `system`: a merged alert is
 *    dismissed, one that went on after its end is reopened, and where its rule says so it is resolved with its episode.
 * 5. A record of an alert that retention has deleted, late or replayed, does not bring it back.
 * 6. A person who was erased does not come back: figures and changes are let in under the pseudonym (protection/erasure.ts). Asked after
 *    the offset's row is locked, for which a beginning erasure waits.
 * 7. Of a deleted organization nothing is let in, and the rest of the batch is; asked at the same place, for which the removal of its rows
 *    waits (protection/removal.ts).
 */
import { type AlertFigures, type AlertStatusChange, type StatusRecordType, TOPICS } from '@tocsin/contracts'
import {
  type Batch,
  type Disposition,
  done,
  dropped,
  type Handled,
  type Kafka,
  type Producer,
  type RunningConsumer,
  runConsumer,
} from '@tocsin/kafka'
import { type Pool, type Query, queryOf, transaction } from '@tocsin/postgres'
import type { AnswerCache } from './answer-cache.ts'
import { type AlertRecord, type FoldedBatch, foldBatch } from './core/fold-batch.ts'
import { candidatesOf, pseudonymised, pseudonymisedChange } from './core/pseudonyms.ts'
import { decide, SYSTEM } from './core/status-change.ts'
import { systemActOn } from './core/system-act.ts'
import { isRefusal } from './core/transitions.ts'
import type { PersistenceMetrics } from './metrics.ts'
import type { FieldCipher } from './protection/field-cipher.ts'
import { readAlertRecord } from './read-alert-record.ts'
import { type AppliedFigures, applyFigures, lockAlert, wasTouched, writeStatus } from './repositories/alerts.ts'
import { type ErasedPersons, readErased } from './repositories/erasures.ts'
import { loadOffset, moveOffset } from './repositories/offsets.ts'
import { addToOutbox, statusRecord } from './repositories/outbox.ts'
import { DELETED_AMONG } from './sql/deletion-sql.ts'

export interface ApplierOptions {
  readonly kafka: Kafka
  readonly producer: Producer
  /** Of role tocsin_worker. */
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly cache: AnswerCache
  readonly metrics: PersistenceMetrics
  /** Of one transaction. */
  readonly maxRecords: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

export function startApplier(options: ApplierOptions): RunningConsumer {
  const { kafka, producer, pool } = options
  const topic = TOPICS.alerts.name
  // Of the last partition that was loaded: all are of one cluster, and no batch comes before a load.
  let clusterId = ''
  return runConsumer<AlertRecord>({
    kafka,
    producer,
    groupId: 'persistence',
    topics: [topic],
    read: readAlertRecord,
    offsets: {
      load: async ({ partition }) => {
        const start = await loadOffset(queryOf(pool), kafka, topic, partition)
        clusterId = start.clusterId
        return start.next
      },
    },
    maxBatch: options.maxRecords,
    handleBatch: async (batch) => {
      const handled = await applyBatch(options, batch, clusterId)
      // Also for records that say nothing new: another instance wrote them, which this one's readers must see. Nobody waits for it.
      void options.cache.changed(organizationsOf(batch))
      return handled
    },
  })
}

const organizationOf = (record: AlertRecord): string =>
  (record.half === 'figures' ? record.figures : record.change).organizationId.toLowerCase()
const organizationsOf = ({ items }: Batch<AlertRecord>): string[] => [...new Set(items.map(({ value }) => organizationOf(value)))]

/** One transaction: the offset, then the effects. `clusterId`: the cluster that the batch was read from. */
export async function applyBatch(
  options: Pick<ApplierOptions, 'pool' | 'cipher' | 'metrics' | 'now'>,
  batch: Batch<AlertRecord>,
  clusterId: string,
): Promise<Handled> {
  const end = options.metrics.applySeconds.startTimer()
  const { cipher } = options
  const organizations = organizationsOf(batch)
  const destroyed = await cipher.loadLiving(organizations)
  const outcome = await transaction(options.pool, async (query) => {
    // Asked at once and done in this order: the row of the offset is locked before the others are answered (6) (7).
    const [isMoved, rows, erased] = await Promise.all([
      moveOffset(query, { ...batch, clusterId }), // (1)
      query<{ id: string }>(DELETED_AMONG, [organizations]),
      readErased(
        query,
        cipher,
        organizations.filter((id) => !destroyed.has(id)),
      ),
    ])
    if (!isMoved) return 'moved' as const
    const deleted = new Set([...destroyed, ...rows.map(({ id }) => id)]) // (7)
    const records = batch.items.map((item) => item.value).filter((record) => !deleted.has(organizationOf(record)))
    const { figures, statuses } = withoutErased(erased, foldBatch(records)) // (6)
    const applied = await applyFigures(query, cipher, figures) // (5)
    const changed = new Set<string>()
    for (const { type, change } of statuses) if (await applyStatus(query, cipher, type, change)) changed.add(keyOf(change))
    const changedRows = new Map(applied.map((row) => [row.id, row]))
    const context = { query, cipher, partition: batch.partition, now: options.now?.() ?? Date.now() }
    // The rows are locked by what was just written; most need nothing, and only for the others the whole row is read (4).
    for (const each of figures) {
      const row = changedRows.get(each.id.toLowerCase())
      if (row !== undefined && systemActOn(each, stateOf(row)) !== null) await actForPeople(context, each)
    }
    return { deleted, rows: changedRows, changed }
  })
  end()
  if (outcome === 'moved') return 'moved'
  return batch.items.map(({ value }): Disposition => {
    if (outcome.deleted.has(organizationOf(value))) return dropped('organizationDeleted')
    const fresh =
      value.half === 'figures'
        ? (outcome.rows.get(value.figures.id.toLowerCase())?.revision ?? 0) >= value.figures.revision
        : outcome.changed.has(keyOf(value.change))
    return fresh ? done : dropped('notNewer')
  })
}

/** With pseudonyms in the places of the persons who were erased (6). */
function withoutErased(erased: ErasedPersons, { figures, statuses }: FoldedBatch): FoldedBatch {
  if (erased.size === 0) return { figures, statuses }
  const find = ({ organizationId }: { readonly organizationId: string }) => erased.get(organizationId.toLowerCase())
  return {
    figures: figures.map((each) => {
      const persons = find(each)?.(candidatesOf(each))
      return persons === undefined || persons.size === 0 ? each : pseudonymised(each, persons)
    }),
    statuses: statuses.map(({ type, change }) => {
      const persons = find(change)?.(candidatesOf(change.changes, change.comment))
      return persons === undefined || persons.size === 0
        ? { type, change }
        : { type, change: pseudonymisedChange(change, persons) }
    }),
  }
}

const stateOf = ({ status, ended_at_count: count }: AppliedFigures) => ({
  status,
  endedAtCount: count === null ? null : Number(count),
})

const keyOf = (change: AlertStatusChange): string => `${change.id}/${change.version}`

/** Our own records come back here and are not newer; others are news after a restore of an older database. */
async function applyStatus(
  query: Query,
  cipher: FieldCipher,
  type: StatusRecordType,
  change: AlertStatusChange,
): Promise<boolean> {
  const alert = await lockAlert(query, cipher, change.organizationId, change.id)
  if (alert === null || alert.version >= change.version) return false // (2)
  await writeStatus(query, cipher, alert, { type, from: alert.status, change })
  return true
}

async function actForPeople(
  context: { readonly query: Query; readonly cipher: FieldCipher; readonly partition: number; readonly now: number },
  figures: AlertFigures,
): Promise<void> {
  const { query, cipher, partition, now } = context
  const alert = await lockAlert(query, cipher, figures.organizationId, figures.id)
  if (alert === null) return
  const act = systemActOn(figures, alert)
  if (act === null || (act.unlessTouched && (await wasTouched(query, alert)))) return
  const step = decide(alert, act.command, { subject: SYSTEM, channel: 'system', now })
  if (isRefusal(step)) return
  await writeStatus(query, cipher, alert, step)
  await addToOutbox(query, [statusRecord(step.change, step.type, partition)])
}

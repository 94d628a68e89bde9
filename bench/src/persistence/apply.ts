/**
 * Alerts applied from the topic by the real process, against a loop that only upserts: the same figures in the same batches into the same two
 * tables with the same indexes, over as many connections, without Kafka, checks, offsets, seals or words.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { type AlertFigures, HEADERS, TOPICS } from '@tocsin/contracts'
import { createProducer, type OutgoingRecord } from '@tocsin/kafka'
import { type Queries, withConnection } from '@tocsin/postgres'
import type { BenchContext, PartResult } from '../bench.ts'
import { seededRandom } from '../random.ts'
import { medianOf } from '../report.ts'
import { BARE_EVIDENCE, BARE_UPSERT } from './apply-sql.ts'
import { Installation } from './installation.ts'
import { ORGANIZATIONS, organizationIdOf } from './seed.ts'
import { SEED_ORGANIZATIONS } from './seed-sql.ts'

const SEED = 3
const PARTITIONS = 4
const BATCH = 100
const RECORDS = 60_000
/** Of those: then every organization has its data key, which is made once in its life, and what runs often is compiled. */
const WARM_UP = 10_000
/** Of ten records so many open an alert, the others revise one of the latest. */
const CREATED_OF_TEN = 4
const LATEST = 2_000
const ASK_EVERY_MS = 50
const LIMIT_MS = 300_000

export async function benchApply(context: BenchContext): Promise<PartResult> {
  const applied: number[] = []
  const bare: number[] = []
  for (let round = 1; round <= context.rounds; round++) {
    const records = figuresOf(SEED + round)
    bare.push(await bareLoop(context, records))
    applied.push(await fromTopic(context, records))
    context.say(
      `apply, round ${round} of ${context.rounds}: ${applied.at(-1)?.toFixed(0)} /s against ${bare.at(-1)?.toFixed(0)} /s`,
    )
  }
  const [rate, most] = [medianOf(applied), medianOf(bare)]
  return {
    what:
      `Applying: ${RECORDS.toLocaleString('en-US')} records (${CREATED_OF_TEN * 10} % created, the rest revised) of ${ORGANIZATIONS} organizations in ${PARTITIONS} partitions, alerts of 2 KB with 5 events as evidence, ` +
      `batches of at most ${BATCH}; from ${WARM_UP.toLocaleString('en-US')} records applied to the last; ${context.rounds} rounds, medians. The bare loop upserts the same figures over ${PARTITIONS} connections.`,
    rows: [
      { figure: 'bare multi-row upsert loop', unit: 'alerts/s', got: most, reach: null },
      { figure: 'alerts applied from the topic', unit: 'alerts/s', got: rate, reach: { op: '>=', value: 5_000 } },
      { figure: 'applied against the bare loop', unit: '×', got: rate / most, reach: { op: '>=', value: 0.6 } },
    ],
  }
}

interface FigureRecord {
  readonly partition: number
  readonly type: 'alert.created' | 'alert.revised'
  readonly figures: AlertFigures
}

function figuresOf(seed: number): FigureRecord[] {
  const random = seededRandom(seed)
  const latest: { partition: number; figures: AlertFigures }[] = []
  return Array.from({ length: RECORDS }, (_, at): FigureRecord => {
    const known = latest[Math.floor(random() * latest.length)]
    if (known !== undefined && random() * 10 >= CREATED_OF_TEN) {
      const { figures } = known
      const revision = figures.revision + 1
      known.figures = { ...figures, revision, count: figures.count + 1, updatedAt: new Date(Date.now() + at).toISOString() }
      return { partition: known.partition, type: 'alert.revised', figures: known.figures }
    }
    const organization = Math.floor(random() * ORGANIZATIONS)
    const made = { partition: organization % PARTITIONS, figures: newFigures(organization, Math.floor(random() * 5_000)) }
    if (latest.length < LATEST) latest.push(made)
    else latest[at % LATEST] = made
    return { partition: made.partition, type: 'alert.created', figures: made.figures }
  })
}

function newFigures(organization: number, principal: number): AlertFigures {
  const at = new Date().toISOString()
  const who = `user-${principal}`
  return {
    id: randomUUID(),
    organizationId: organizationIdOf(organization),
    type: 'SECURITY',
    severity: 'HIGH',
    title: `Failed sign-ins: ${who}`,
    description: `Failed sign-ins of ${who} within five minutes; further attempts were seen elsewhere.`,
    source: 'detector',
    rule: { id: 'tocsin.failed-auth', name: 'Failed authentication', version: 1, hash: 'ab'.repeat(32) },
    pattern: 'FAILED_AUTH',
    group: { principalId: who },
    window: { from: at, to: at, spanMs: 300_000, threshold: 5, value: 5 },
    firstSeen: at,
    lastSeen: at,
    count: 5,
    peak: 5,
    revision: 1,
    open: true,
    backfilled: false,
    metadata: { attemptCount: 5, note: randomBytes(450).toString('hex') },
    tags: ['attack.t1110'],
    runbook: null,
    correlationId: null,
    createdAt: at,
    updatedAt: at,
    evidence: Array.from({ length: 5 }, (_, place) => ({
      id: `event-${place}`,
      t: at,
      subject: who,
      action: 'auth.login',
      outcome: 'failure',
      ip: '192.0.2.1',
      topic: 'audit.events',
      partition: 0,
      offset: String(place),
    })),
  }
}

/** Records a second. */
async function fromTopic(context: BenchContext, records: readonly FigureRecord[]): Promise<number> {
  const installation = await Installation.create(context)
  const producer = createProducer(installation.kafka)
  try {
    await withConnection(installation.adminUrl, (queries) => queries(SEED_ORGANIZATIONS, [ORGANIZATIONS]))
    for (let at = 0; at < records.length; at += 1_000) await producer.send(records.slice(at, at + 1_000).map(outgoing))
    const service = await installation.start()
    try {
      return await withConnection(installation.adminUrl, rateOfApplying)
    } finally {
      await service.stop()
    }
  } finally {
    await producer.close()
    await installation.close()
  }
}

const outgoing = ({ partition, type, figures }: FigureRecord): OutgoingRecord => ({
  topic: TOPICS.alerts.name,
  partition,
  key: figures.organizationId,
  value: JSON.stringify(figures),
  headers: { [HEADERS.type]: type },
})

async function rateOfApplying(queries: Queries): Promise<number> {
  const until = performance.now() + LIMIT_MS
  let first: { readonly at: number; readonly records: number } | undefined
  for (;;) {
    const [row] = await queries(`SELECT coalesce(sum(next), 0)::integer AS records FROM offsets WHERE topic = 'alerts'`)
    const now = { at: performance.now(), records: Number(row?.['records']) }
    if (first === undefined && now.records >= WARM_UP) first = now
    if (first !== undefined && now.records >= RECORDS) return ((now.records - first.records) / (now.at - first.at)) * 1_000
    if (now.at > until) throw new Error(`${now.records} of ${RECORDS} records were applied`)
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
  }
}

/** Records a second. */
async function bareLoop(context: BenchContext, records: readonly FigureRecord[]): Promise<number> {
  const installation = await Installation.create(context)
  try {
    const begun = performance.now()
    await Promise.all(
      Array.from({ length: PARTITIONS }, (_, partition) =>
        withConnection(installation.adminUrl, (queries) =>
          upsertAll(
            queries,
            records.filter((record) => record.partition === partition),
          ),
        ),
      ),
    )
    return (records.length / (performance.now() - begun)) * 1_000
  } finally {
    await installation.close()
  }
}

async function upsertAll(queries: Queries, records: readonly FigureRecord[]): Promise<void> {
  for (let at = 0; at < records.length; at += BATCH) {
    // A statement can write a row once only.
    const batch = new Map(records.slice(at, at + BATCH).map(({ figures }) => [figures.id, figures]))
    await queries('BEGIN')
    await queries(BARE_UPSERT, [JSON.stringify([...batch.values()].map(({ evidence: _, ...figures }) => figures))])
    await queries(BARE_EVIDENCE, [
      JSON.stringify(
        [...batch.values()].map(({ id, organizationId, revision, evidence }) => ({ id, organizationId, revision, evidence })),
      ),
    ])
    await queries('COMMIT')
  }
}

/** Whether topic `alerts` holds what the log of `audit.events` says: nothing missing, nothing else, the same bytes for the same (alert id, revision). */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Alert, DEAD_HEADERS, deadTopicOf, HEADERS, TOPICS } from '@tocsin/contracts'
import { headerOf, type Kafka, type KafkaRecord, readToEnd } from '@tocsin/kafka'
import { MODEL_PATTERNS } from '../../../libs/engine/test/model-patterns.ts'
import { createEngines } from '../../../services/detector/src/engines.ts'
import { undisturbed } from '../../../services/detector/test/expected.ts'
import { type Compared, comparedAlert, differences, ExpectedAlerts } from '../expected-alerts.ts'

const DAY_MS = 86_400_000
const MODELLED: ReadonlySet<string> = new Set(MODEL_PATTERNS.map(({ ruleId }) => ruleId))

export interface Verdict {
  readonly records: number
  /** Records on `alerts`, repeated ones included, and how many different ones. */
  readonly published: number
  readonly distinct: number
  readonly alerts: number
  /** The longest time from a record that opened an alert to that alert, seconds: how long nobody detected anything. */
  readonly longestGap: number
  /** One sentence each; none when all is well. */
  readonly faults: readonly string[]
}

/** The log and what two recomputations make of it. */
export interface Expectation {
  readonly log: readonly KafkaRecord[]
  /** `type bytes` of every change, as the engine says when nothing interrupts it. */
  readonly changes: ReadonlySet<string>
  /** The brute-force model's, of the rules that it knows. */
  readonly modelled: readonly Compared[]
  /** `partition offset` of the records that are no JSON. */
  readonly dead: ReadonlySet<string>
}

export async function recompute(kafka: Kafka): Promise<Expectation> {
  const log = await recordsOf(kafka, TOPICS.auditEvents.name)
  const { engines } = createEngines()
  const changes = new Set<string>()
  const dead = new Set<string>()
  const model = new ExpectedAlerts(Math.floor(Date.now() / DAY_MS) * DAY_MS)
  for (const records of Map.groupBy(log, ({ partition }) => partition).values()) {
    const engine = engines.fresh(records[0]?.partition ?? 0)
    for (const { type, alert } of undisturbed(engine, records)) changes.add(`${type} ${JSON.stringify(alert)}`)
  }
  for (const record of log) {
    if (isJson(record)) model.take(record)
    else {
      dead.add(`${record.partition} ${record.offset}`)
      const { topic, partition, offset, appendTime, key, value } = record
      model.take({ topic, partition, offset, appendTime, key, value, headers: { [HEADERS.type]: 'tick' } })
    }
  }
  return { log, changes, modelled: model.changes, dead }
}

/** True when everything expected is there; what is too much shows in `judge`. */
export async function isWhole(kafka: Kafka, { changes }: Expectation): Promise<boolean> {
  const published = new Set((await recordsOf(kafka, TOPICS.alerts.name)).map(contentOf))
  return [...changes].every((change) => published.has(change))
}

export async function judge(kafka: Kafka, expected: Expectation): Promise<Verdict> {
  const records = await recordsOf(kafka, TOPICS.alerts.name)
  const published = new Set(records.map(contentOf))
  const faults: string[] = []
  for (const change of expected.changes) if (!published.has(change)) faults.push(`missing: ${change}`)
  for (const change of published) if (!expected.changes.has(change)) faults.push(`surplus or different: ${change}`)
  const ofModelled = [...published].map(alertOf).filter(({ rule }) => MODELLED.has(rule.id))
  const { surplus, missing } = differences(ofModelled.map(comparedAlert), expected.modelled)
  for (const each of missing) faults.push(`missing by the model: ${each}`)
  for (const each of surplus) faults.push(`not by the model: ${each}`)
  const dead = new Set((await recordsOf(kafka, deadTopicOf(TOPICS.auditEvents.name))).map(originOf))
  for (const place of expected.dead) if (!dead.has(place)) faults.push(`not set aside: ${place}`)
  for (const place of dead) if (!expected.dead.has(place)) faults.push(`set aside without reason: ${place}`)
  return {
    records: expected.log.length,
    published: records.length,
    distinct: published.size,
    alerts: new Set([...published].map((change) => alertOf(change).id)).size,
    longestGap: longestGap(records),
    faults,
  }
}

/** Of alerts whose opening was told several times, the first counts. */
function longestGap(records: readonly KafkaRecord[]): number {
  const gaps = new Map<string, number>()
  for (const record of records) {
    const { id, revision, createdAt } = JSON.parse(String(record.value)) as Alert
    if (revision === 1 && !gaps.has(id)) gaps.set(id, record.appendTime - Date.parse(createdAt))
  }
  return Math.max(0, ...gaps.values()) / 1_000
}

/** Everything that is needed to look at a difference again. */
export async function keepEvidence(
  dir: string,
  kafka: Kafka,
  { log, changes }: Expectation,
  { faults }: Verdict,
  logs: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  mkdirSync(dir, { recursive: true })
  const lines = (name: string, of: Iterable<string>) => writeFileSync(join(dir, name), `${[...of].join('\n')}\n`)
  const line = ({ partition, offset, appendTime, headers, value }: KafkaRecord) =>
    JSON.stringify({
      partition,
      offset: String(offset),
      appendTime,
      type: headerOf({ headers }, HEADERS.type),
      value: String(value),
    })
  lines('audit.events.ndjson', log.map(line))
  lines('alerts.ndjson', (await recordsOf(kafka, TOPICS.alerts.name)).map(line))
  lines('expected.txt', changes)
  lines('faults.txt', faults)
  for (const [name, content] of logs) lines(`${name}.log`, content)
}

/** In order of their partitions. */
async function recordsOf(kafka: Kafka, topic: string): Promise<KafkaRecord[]> {
  const records: KafkaRecord[] = []
  await readToEnd({ kafka, topic, onRecord: (record) => records.push(record) })
  return records
}

const contentOf = (record: KafkaRecord): string => `${headerOf(record, HEADERS.type)} ${record.value}`
const alertOf = (content: string): Alert => JSON.parse(content.slice(content.indexOf(' '))) as Alert
const originOf = (record: KafkaRecord): string =>
  `${headerOf(record, DEAD_HEADERS.partition)} ${headerOf(record, DEAD_HEADERS.offset)}`

function isJson({ value }: KafkaRecord): boolean {
  try {
    JSON.parse(String(value))
    return true
  } catch {
    return false
  }
}

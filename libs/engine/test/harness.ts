/** Runs a stream through the engine and through the model, and says where they differ first. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { ControlRecord, RuleRecord, TenantRecord } from '@tocsin/contracts'
import {
  type AlertChange,
  type CompiledRule,
  compileRule,
  type EngineOptions,
  type EngineRecord,
  PartitionEngine,
  parsedEvent,
  type SnapshotChunk,
  type SnapshotWriter,
} from '@tocsin/engine'
import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { describeLog } from './describe-log.ts'
import { Model } from './model.ts'
import type { ModelAlert, ModelChange, ModelFigures, ModelRecord } from './model-types.ts'
import type { Stream } from './streams.ts'

export const TOPIC = 'audit.events'
export const PARTITION = 3
/** Groups that one event of the streams comes to. */
const MOST_GROUPS = 4
/** Snapshots that a group keeps of events in no alert (D28): with more events, evidence may lack some. */
const MAX_LOOSE = 50
/** Of alert ids: docs/detection.md, D14. */
const NAMESPACE = '6f1c2a9e-4b7d-5e38-9c05-d1a7b3e84f60'

const RULES_FOLDER = new URL('../../../rules/', import.meta.url)

/** The built-in pack as persistence publishes it. */
export const PACK: readonly RuleRecord[] = readdirSync(RULES_FOLDER)
  .filter((file) => file.endsWith('.yml'))
  .sort()
  .map((file) => {
    const content = readFileSync(new URL(file, RULES_FOLDER), 'utf8')
    const hash = createHash('sha256').update(content).digest('hex')
    return { ruleId: `tocsin.${file.replace(/\.yml$/, '')}`, organizationId: null, version: 1, hash, state: 'active', content }
  })

const compiled = new Map<string, CompiledRule>()

/** Compiled rules are values, so that thousands of engines may share them. */
function compile(record: RuleRecord): CompiledRule {
  const key = `${record.ruleId} ${record.version} ${record.state} ${record.hash}`
  const known = compiled.get(key) ?? compileRule(record)
  compiled.set(key, known)
  return known
}

export const ENGINE_OPTIONS: EngineOptions = { topic: TOPIC, partition: PARTITION, compile }

export const optionsOf = ({ limits }: Pick<Stream, 'limits'>): EngineOptions =>
  limits === undefined ? ENGINE_OPTIONS : { ...ENGINE_OPTIONS, limits }

export const newEngine = (stream: Pick<Stream, 'limits'> = {}): PartitionEngine => new PartitionEngine(optionsOf(stream))

/** The whole log: rules and organizations first, then the stream. */
export function logOf({ settings, records, rules }: Stream): ModelRecord[] {
  const appendTime = records[0]?.appendTime ?? 0
  const first = rules?.filter(({ record }) => record.version === 1).map(({ record }) => record)
  const controls: ControlRecord[] = [
    ...(first ?? PACK).map((rule) => ({ kind: 'rule' as const, rule })),
    ...[...settings].map(([organizationId, of]) => ({ kind: 'organization' as const, organization: tenant(organizationId, of) })),
  ]
  return [...controls.map((control) => ({ kind: 'control' as const, appendTime, control })), ...records]
}

/** Every record with its offset. */
export const engineRecords = (stream: Stream): EngineRecord[] =>
  logOf(stream).map((record, offset) => engineRecord(record, BigInt(offset)))

export const engineRecord = (record: ModelRecord, offset: bigint): EngineRecord =>
  record.kind === 'event' ? { ...record, event: parsedEvent(record.event), offset } : { ...record, offset }

export const tenant = (organizationId: string, settings: TenantRecord['settings'], version = 1): TenantRecord => ({
  organizationId,
  version,
  slug: 'test',
  name: 'Test',
  partition: PARTITION,
  settings,
  recipients: { emails: [], slackChannels: [], phoneNumbers: [] },
  keys: [],
})

export function drain(writer: SnapshotWriter, maxBytes: number): SnapshotChunk[] {
  const chunks: SnapshotChunk[] = []
  for (let chunk = writer.next(maxBytes); chunk !== null; chunk = writer.next(maxBytes)) chunks.push(chunk)
  return chunks
}

/** Changes of each record of the log. */
export function runEngine(stream: Stream, engine = newEngine(stream)): AlertChange[][] {
  return engineRecords(stream).map((record) => engine.process(record))
}

/** Throws with all that a person needs where the engine and the model differ. */
export function expectAgreement(stream: Stream): void {
  const engine = newEngine(stream)
  const model = runModel(stream)
  fc.pre(!model.isOpen)
  const difference = firstDifference(stream, runEngine(stream, engine), model.changes)
  if (difference !== undefined)
    throw new Error(
      `${describeLog(logOf(stream).slice(0, difference.record + 1))}\nmodel:\n${difference.expected.join('\n')}\nengine:\n${difference.got.join('\n')}`,
    )
  const counters: Record<string, number> = { ...engine.counters() }
  // One conflict in 4,096 is counted as a duplicate (D11), in each group that it comes to.
  const taken = (counters['duplicate'] ?? 0) - (model.counters['duplicate'] ?? 0)
  if (taken > 0 && taken <= MOST_GROUPS) {
    counters['duplicate'] = (counters['duplicate'] ?? 0) - taken
    counters['idConflict'] = (counters['idConflict'] ?? 0) + taken
  }
  const isChanging = stream.records.some(({ kind }) => kind === 'control')
  for (const [name, expected] of Object.entries(model.counters)) {
    // Two versions of a rule that are both in use count a missing field twice.
    if (name === 'groupMissing' && isChanging) continue
    if ((counters[name] ?? 0) !== expected)
      throw new Error(`counter ${name}: model ${expected}, engine ${counters[name]}\n${describeLog(logOf(stream))}`)
  }
}

/**
 * Places in `records` for changes of rules or settings: mostly where the stream has just opened an alert, because there a change has
 * two versions to get wrong. `at` are parts of one.
 */
export function placesOfChanges(stream: Stream, at: readonly number[]): number[] {
  const { changes } = runModel(stream)
  const before = changes.length - stream.records.length
  const opened = changes.flatMap((each, i) =>
    i >= before && each.some(({ type }) => type === 'alert.created') ? [i - before + 1] : [],
  )
  const last = stream.records.length - 1
  return at
    .map((share) =>
      share < 0.7 ? (opened[Math.floor((share / 0.7) * opened.length)] ?? 0) : Math.floor(((share - 0.7) / 0.3) * last),
    )
    .map((place) => Math.min(place, last))
    .sort((a, b) => a - b)
}

interface ModelRun {
  readonly changes: ModelChange[][]
  readonly counters: Record<string, number>
  readonly isOpen: boolean
}

export function runModel(stream: Stream): ModelRun {
  const { rules } = stream
  const patternOf =
    rules === undefined
      ? undefined
      : ({ ruleId, version }: RuleRecord) =>
          rules.find(({ record }) => record.ruleId === ruleId && record.version === version)?.pattern
  const model = new Model(stream.day0, patternOf, stream.limits)
  const changes = logOf(stream).map((record) => model.process(record))
  return { changes, counters: model.counters, isOpen: model.isOpen }
}

/** What is compared of one change; alerts are named by what their id is made of. */
interface Compared extends Partial<ModelFigures> {
  readonly type: string
  readonly alert: string
  readonly revision: number
  readonly ruleVersion: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly open: boolean
  readonly mergedInto: string | null
}

const nameOf = ({ identity: [organizationId, ruleId, group, eventId, t] }: ModelAlert): string =>
  `${organizationId.slice(0, 1)} ${ruleId} ${JSON.stringify(group)} ${eventId} ${new Date(t).toISOString()}`

function comparedModel({ type, alert, revision, figures, updatedAt }: ModelChange): Compared {
  const merged = type === 'alert.closed' && alert.mergedInto !== undefined
  return {
    type,
    alert: nameOf(alert),
    revision,
    ruleVersion: alert.ruleVersion,
    createdAt: alert.createdAt,
    updatedAt,
    open: type !== 'alert.closed',
    mergedInto: merged && alert.mergedInto ? nameOf(alert.mergedInto) : null,
    ...comparable(figures, alert),
  }
}

/** The total is shown by sums only. */
function comparable({ total, ...figures }: ModelFigures, { pattern }: ModelAlert): Partial<ModelFigures> {
  return {
    ...figures,
    ...(pattern.pattern === 'BULK_OPERATION' ? { total } : {}),
  }
}

function comparedEngine({ type, alert }: AlertChange, names: ReadonlyMap<string, string>): Compared {
  const { window } = alert
  const { mergedInto, ...metadata } = alert.metadata
  return {
    type,
    alert: names.get(alert.id) ?? `unknown ${alert.id}`,
    revision: alert.revision,
    ruleVersion: alert.rule.version,
    createdAt: Date.parse(alert.createdAt),
    updatedAt: Date.parse(alert.updatedAt),
    open: alert.open,
    mergedInto: typeof mergedInto === 'string' ? (names.get(mergedInto) ?? `unknown ${mergedInto}`) : null,
    severity: alert.severity,
    count: alert.count,
    peak: alert.peak,
    firstSeen: Date.parse(alert.firstSeen),
    lastSeen: Date.parse(alert.lastSeen),
    windowFrom: Date.parse(window.from),
    windowTo: Date.parse(window.to),
    spanMs: window.spanMs,
    threshold: window.threshold,
    backfilled: alert.backfilled,
    ...(alert.pattern === 'BULK_OPERATION' ? { total: Number(metadata['totalRecords']) } : {}),
    windowValue: window.value,
    metadata,
    evidence: alert.evidence.map(({ id }) => id),
  }
}

export interface Difference {
  readonly record: number
  /** One JSON text a change. */
  readonly expected: readonly string[]
  readonly got: readonly string[]
}

/** The first record whose changes differ, if any. Also checks the order of changes and that an id names one alert. */
export function firstDifference(
  stream: Stream,
  engineChanges = runEngine(stream),
  modelChanges = runModel(stream).changes,
): Difference | undefined {
  const names = new Map<string, string>()
  const isSmall = stream.records.length <= MAX_LOOSE
  for (const [record, changes] of engineChanges.entries()) {
    const expected = modelChanges[record] ?? []
    for (const { type, alert } of changes) {
      // An alert that is opened and stopped by one control record is published once, closed.
      if (alert.revision > 1) continue
      // One record may open several alerts of a group (D43).
      const alike = expected.filter((change) => change.type === type && change.revision === 1 && sameGroup(change.alert, alert))
      const made = alike.find((change) => alert.id === idOf(change.alert))
      if (made === undefined && alike.length > 0)
        throw new Error(`record ${record}: the id is that of none of ${alike.map((change) => nameOf(change.alert)).join()}`)
      const name = made === undefined ? `unknown ${alert.id}` : nameOf(made.alert)
      // The same event, sent again when the first alert has been forgotten, opens an alert of the same id.
      if ((names.get(alert.id) ?? name) !== name) throw new Error(`record ${record}: id ${alert.id} names two alerts`)
      names.set(alert.id, name)
    }
    const keys = changes.map(({ alert }) => `${alert.rule.id} ${alert.id}`)
    if (keys.some((key, i) => i > 0 && key < (keys[i - 1] ?? '')))
      throw new Error(`record ${record}: changes are not ordered by rule id, alert id`)
    const left = expected.map((change) => sorted(comparedModel(change), isSmall)).sort()
    const right = changes.map((change) => sorted(comparedEngine(change, names), isSmall)).sort()
    if (left.join() !== right.join()) return { record, expected: left, got: right }
  }
  return undefined
}

/** D14: UUIDv5 over the canonical JSON of what names the alert. */
function idOf({ identity }: ModelAlert): string {
  const hash = createHash('sha1')
    .update(Buffer.from(NAMESPACE.replaceAll('-', ''), 'hex'))
    .update(canonicalize(identity) ?? '')
    .digest()
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

const sameGroup = ({ identity: [organizationId, ruleId, group] }: ModelAlert, alert: AlertChange['alert']): boolean =>
  organizationId === alert.organizationId && ruleId === alert.rule.id && JSON.stringify(group) === JSON.stringify(alert.group)

const sorted = ({ evidence, ...compared }: Compared, withEvidence: boolean): string =>
  canonicalize(withEvidence ? { ...compared, evidence } : compared) ?? ''

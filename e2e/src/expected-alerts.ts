/** What detection.md says of the records that lie in audit.events, by the brute-force model of libs/engine/test. */
import { createHash } from 'node:crypto'
import { type Alert, type AlertFigures, type AuditEvent, type ControlRecord, HEADERS } from '@tocsin/contracts'
import { headerOf, type KafkaRecord } from '@tocsin/kafka'
import { Model } from '../../libs/engine/test/model.ts'
import type { ModelAlert, ModelChange, ModelRecord } from '../../libs/engine/test/model-types.ts'

/** Of alert ids: docs/detection.md, D14. */
const NAMESPACE = '6f1c2a9e-4b7d-5e38-9c05-d1a7b3e84f60'

/** A record of audit.events as the model takes it. */
export function modelRecord(record: KafkaRecord): ModelRecord {
  const { appendTime } = record
  const type = headerOf(record, HEADERS.type) ?? 'event'
  const value = () => JSON.parse(String(record.value)) as unknown
  if (type === 'event') return { kind: 'event', appendTime, event: value() as AuditEvent }
  if (type === 'control') return { kind: 'control', appendTime, control: value() as ControlRecord }
  return { kind: 'tick', appendTime }
}

/** What is compared of a change, in the API and on the topic alike. */
export type Compared = Readonly<Record<string, unknown>>

export function comparedAlert(alert: Alert | Omit<AlertFigures, 'evidence'>): Compared {
  const { mergedInto, ...metadata } = alert.metadata as Record<string, unknown>
  return {
    id: alert.id,
    revision: alert.revision,
    organizationId: alert.organizationId,
    ruleId: alert.rule.id,
    ruleVersion: alert.rule.version,
    pattern: alert.pattern ?? null,
    group: alert.group,
    severity: alert.severity,
    count: alert.count,
    peak: alert.peak,
    firstSeen: alert.firstSeen,
    lastSeen: alert.lastSeen,
    window: sortedKeys(alert.window),
    backfilled: alert.backfilled,
    open: alert.open,
    mergedInto: mergedInto ?? null,
    metadata: sortedKeys(metadata),
    createdAt: alert.createdAt,
  }
}

export function comparedChange({ alert, revision, figures, type }: ModelChange): Compared {
  const iso = (t: number) => new Date(t).toISOString()
  const [organizationId, , group] = alert.identity
  const closed = type === 'alert.closed'
  return {
    id: idOf(alert),
    revision,
    organizationId,
    ruleId: alert.identity[1],
    ruleVersion: alert.ruleVersion,
    pattern: alert.pattern.pattern,
    group,
    severity: figures.severity,
    count: figures.count,
    peak: figures.peak,
    firstSeen: iso(figures.firstSeen),
    lastSeen: iso(figures.lastSeen),
    window: sortedKeys({
      from: iso(figures.windowFrom),
      to: iso(figures.windowTo),
      spanMs: figures.spanMs,
      threshold: figures.threshold,
      value: figures.windowValue,
    }),
    backfilled: figures.backfilled,
    open: !closed,
    mergedInto: closed && alert.mergedInto !== undefined ? idOf(alert.mergedInto) : null,
    metadata: sortedKeys(figures.metadata),
    createdAt: iso(alert.createdAt),
  }
}

/** PostgreSQL keeps no order of keys. */
const sortedKeys = (of: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)))

/** What only one of two lists holds, as JSON. */
export function differences(got: readonly Compared[], expected: readonly Compared[]): { surplus: string[]; missing: string[] } {
  const [mine, theirs] = [got, expected].map((list) => list.map((each) => JSON.stringify(each)).sort()) as [string[], string[]]
  const without = (list: readonly string[], other: readonly string[]) => {
    const left = new Map<string, number>()
    for (const each of other) left.set(each, (left.get(each) ?? 0) + 1)
    return list.filter((each) => {
      const known = left.get(each) ?? 0
      left.set(each, known - 1)
      return known <= 0
    })
  }
  return { surplus: without(mine, theirs), missing: without(theirs, mine) }
}

/** D14: UUIDv5 over the JSON of what names the alert; with one group field, canonical as it is. */
function idOf({ identity }: ModelAlert): string {
  const hash = createHash('sha1')
    .update(Buffer.from(NAMESPACE.replaceAll('-', ''), 'hex'))
    .update(JSON.stringify(identity))
    .digest()
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6)
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8)
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** The model of each partition; records are taken in order, once. */
export class ExpectedAlerts {
  readonly changes: Compared[] = []
  readonly events: AuditEvent[] = []
  readonly #models = new Map<number, Model>()
  readonly #day0: number

  /** @param day0 midnight UTC of a day near the events */
  constructor(day0: number) {
    this.#day0 = day0
  }

  take(record: KafkaRecord): void {
    const model = this.#models.get(record.partition) ?? new Model(this.#day0)
    this.#models.set(record.partition, model)
    const taken = modelRecord(record)
    if (taken.kind === 'event') this.events.push(taken.event)
    for (const change of model.process(taken)) this.changes.push(comparedChange(change))
  }

  /** The last change of every alert. */
  final(): Map<string, Compared> {
    return new Map(this.changes.map((change) => [String(change['id']), change]))
  }
}

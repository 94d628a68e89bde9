/** Orders of arrival that detection.md §1 ("Order does not matter") allows. */
import type { AuditEvent } from '@tocsin/contracts'
import type { Stream } from './streams.ts'

const DEFAULT_LATENESS_MS = 900_000
/** Beyond every R of the random streams. */
const QUIET_MS = 60 * 86_400_000

/**
 * The events of a stream, each id once, with each one's own time as its arrival, shifted by a part of the lateness: then
 * `arrival2 - arrival1 <= max(0, t2 - t1) + lateness` holds for any two, and no stamp is ahead of log time.
 */
export function reordered({ records, ...stream }: Stream, delays: readonly number[]): Stream {
  const { settings, rules = [] } = stream
  const latenesses = [...settings.values(), ...rules.map(({ pattern }) => pattern)].map(({ latenessMs }) => latenessMs)
  const allowed = Math.min(...latenesses.map((latenessMs) => latenessMs ?? DEFAULT_LATENESS_MS))
  const seen = new Set<string>()
  const arriving: { kind: 'event'; appendTime: number; event: AuditEvent }[] = []
  for (const [i, record] of records.entries()) {
    if (record.kind !== 'event' || seen.has(record.event.id)) continue
    seen.add(record.event.id)
    const delay = Math.floor((delays[i % delays.length] ?? 0) * allowed)
    arriving.push({ kind: 'event', appendTime: Date.parse(record.event.timestamp) + delay, event: record.event })
  }
  return { ...stream, records: arriving.sort((a, b) => a.appendTime - b.appendTime) }
}

/** All events in one moment, in any order. */
export function shuffledAtOnce(stream: Stream, keys: Iterator<number>): Stream {
  const sorted = reordered(stream, [0])
  const appendTime = Math.max(...sorted.records.map((record) => record.appendTime))
  const keyed = sorted.records.map((record) => ({ key: Number(keys.next().value), record: { ...record, appendTime } }))
  return { ...sorted, records: keyed.sort((a, b) => a.key - b.key).map(({ record }) => record) }
}

/** Ticks long after, so that all is decided, the last figures are published and every episode is closed. */
export function closed(stream: Stream): Stream {
  const last = Math.max(0, ...stream.records.map(({ appendTime }) => appendTime))
  const ticks = [1, 2].map((n) => ({ kind: 'tick' as const, appendTime: last + n * QUIET_MS }))
  return { ...stream, records: [...stream.records, ...ticks] }
}

export const eventsOf = ({ records }: Stream): AuditEvent[] =>
  records.flatMap((record) => (record.kind === 'event' ? [record.event] : []))

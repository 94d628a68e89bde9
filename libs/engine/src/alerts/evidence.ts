import type { Evidence } from '@tocsin/contracts'
import type { EventView } from '../event/event-view.ts'
import type { EvidencePool } from '../held/evidence-pool.ts'
import { type EpochMs, isoTime } from '../time.ts'

/** Held of one alert: the first min(threshold, 25) and the newest 25 (detection.md §2). */
export const FIRST_KEPT = 25
export const NEWEST_KEPT = 25
export const TEXT_LIMIT = 128
/** Of all texts of a snapshot together, as JSON in UTF-8: with the names around them an entry of an alert is <= 1 KiB. */
export const TEXT_BYTES = 250

/** What an alert shows of one event. */
export interface HeldSnapshot {
  readonly t: EpochMs
  readonly id: string
  readonly offset: string
  readonly action: string
  readonly outcome: string
  readonly subject: string | null
  readonly target: string | null
  readonly ip: string | null
  readonly recordCount: number | null
  readonly classification: string | null
}

/** Id, action, subject, target and address; '' where absent. */
export type EvidenceTexts = [id: string, action: string, subject: string, target: string, ip: string]

export function evidenceTexts(event: EventView): EvidenceTexts {
  const ip = event.text('ipAddress') ?? ''
  const subject = event.text('principalId') ?? (ip || (event.text('sessionId') ?? ''))
  return [
    cut(event.id, TEXT_LIMIT),
    cut(event.text('action') ?? '', TEXT_LIMIT),
    cut(subject, TEXT_LIMIT),
    cut(targetOf(event), TEXT_LIMIT),
    cut(ip, TEXT_LIMIT),
  ]
}

/** Type and id of what was acted on, as one text. */
export function targetOf(event: EventView): string {
  const type = event.text('targetResourceType')
  const id = event.text('targetResourceId')
  return type !== undefined && id !== undefined ? `${type}/${id}` : (id ?? type ?? '')
}

/** The evidence of one alert, as snapshots of the pool, each list in order. A snapshot may be in both. */
export interface EvidenceLists {
  readonly first: number[]
  readonly newest: number[]
}

/** Takes a snapshot over; what neither list keeps is released. */
export function offer(pool: EvidencePool, { first, newest }: EvidenceLists, snapshot: number, firstKept: number): void {
  if (!insert(pool, newest, snapshot)) {
    pool.release(snapshot)
    return
  }
  const place = placeOf(pool, first, snapshot)
  if (place < firstKept) first.splice(place, 0, snapshot)
  if (first.length > firstKept) releaseUnless(pool, first.pop() as number, newest)
  if (newest.length > NEWEST_KEPT) releaseUnless(pool, newest.shift() as number, first)
}

export function releaseAll(pool: EvidencePool, { first, newest }: EvidenceLists): void {
  for (const snapshot of new Set([...first, ...newest])) pool.release(snapshot)
}

function releaseUnless(pool: EvidencePool, snapshot: number, kept: readonly number[]): void {
  if (!kept.includes(snapshot)) pool.release(snapshot)
}

/** Where a snapshot stands, or would stand. */
function placeOf(pool: EvidencePool, list: readonly number[], snapshot: number): number {
  let place = list.length
  while (place > 0 && pool.isBefore(snapshot, list[place - 1] as number)) place--
  return place
}

/** False where the list has the event already. */
function insert(pool: EvidencePool, list: number[], snapshot: number): boolean {
  const place = placeOf(pool, list, snapshot)
  const before = list[place - 1]
  if (before !== undefined && pool.isSameEvent(before, snapshot)) return false
  list.splice(place, 0, snapshot)
  return true
}

/** Both lists as one, in order, as an alert carries it. */
export function renderEvidence(
  pool: EvidencePool,
  { first, newest }: EvidenceLists,
  topic: string,
  partition: number,
): Evidence[] {
  const shown = [...first]
  for (const snapshot of newest) insert(pool, shown, snapshot)
  return shown.map((slot) => {
    const { id, t, action, outcome, subject, target, ip, recordCount, classification, offset } = pool.read(slot)
    const entry: Partial<Evidence> = { id, t: isoTime(t), action, outcome }
    if (subject !== null) entry.subject = subject
    if (target !== null) entry.target = target
    if (ip !== null) entry.ip = ip
    if (recordCount !== null) entry.recordCount = recordCount
    if (classification !== null) entry.classification = classification
    return Object.assign(entry, { topic, partition, offset }) as Evidence
  })
}

/** The first `limit` characters, never half of a surrogate pair. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text
  const last = text.charCodeAt(limit - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit)
}

/** Halves the longest text until all fit: ordinary events are far below the limit. */
export function fit(texts: EvidenceTexts): void {
  const sizes = texts.map(jsonBytes)
  while (sizes.reduce((sum, size) => sum + size, 0) > TEXT_BYTES) {
    const longest = sizes.indexOf(Math.max(...sizes))
    texts[longest] = cut(texts[longest] as string, (texts[longest] as string).length >> 1)
    sizes[longest] = jsonBytes(texts[longest] as string)
  }
}

/** Length of the text inside JSON's quotes, in UTF-8; controls count as \u0000. */
function jsonBytes(text: string): number {
  let bytes = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0x20) bytes += 6
    else if (unit === 0x22 || unit === 0x5c) bytes += 2
    else if (unit < 0x80) bytes += 1
    else if (unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff)) bytes += 2
    else bytes += 3
  }
  return bytes
}

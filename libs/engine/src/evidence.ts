import type { Evidence } from '@tocsin/contracts'
import type { EventView } from './event-view.ts'
import { type EpochMs, isoTime } from './time.ts'

/** Held of one alert: the first min(threshold, 25) and the newest 25 (detection.md §2). */
export const FIRST_KEPT = 25
export const NEWEST_KEPT = 25
const TEXT_LIMIT = 128
/** Of all texts of a snapshot together, as JSON in UTF-8: with the names around them an entry of an alert is <= 1 KiB. */
const TEXT_BYTES = 260

/** What an alert shows of one event. `row` is the event's row while it is held. */
export interface HeldSnapshot {
  readonly t: EpochMs
  readonly id: string
  readonly row: number
  readonly offset: string
  readonly action: string
  readonly outcome: string
  readonly subject: string | null
  readonly target: string | null
  readonly ip: string | null
  readonly recordCount: number | null
  readonly classification: string | null
}

export function snapshotOf(event: EventView, t: EpochMs, row: number, offset: bigint): HeldSnapshot {
  const ipAddress = event.text('ipAddress')
  const texts = [
    cut(event.id, TEXT_LIMIT),
    cut(event.text('action') ?? '', TEXT_LIMIT),
    cut(event.text('principalId') ?? ipAddress ?? event.text('sessionId') ?? '', TEXT_LIMIT),
    cut(targetOf(event), TEXT_LIMIT),
    cut(ipAddress ?? '', TEXT_LIMIT),
  ]
  fit(texts)
  const [id = '', action = '', subject, target, ip] = texts
  return {
    t,
    id,
    row,
    offset: offset.toString(),
    action,
    outcome: event.text('outcome') ?? '',
    subject: subject || null,
    target: target || null,
    ip: ip || null,
    recordCount: event.number('recordCount') ?? null,
    classification: event.text('dataClassification') ?? null,
  }
}

/** Type and id of what was acted on, as one text. */
export function targetOf(event: EventView): string {
  const type = event.text('targetResourceType')
  const id = event.text('targetResourceId')
  return type !== undefined && id !== undefined ? `${type}/${id}` : (id ?? type ?? '')
}

/** Order of evidence: by event time, then by id. */
export const isBefore = (one: HeldSnapshot, other: HeldSnapshot): boolean =>
  one.t !== other.t ? one.t < other.t : one.id !== other.id ? one.id < other.id : BigInt(one.offset) < BigInt(other.offset)

/** Where a snapshot stands, or would stand, in a list in order. */
export function placeOf(list: readonly HeldSnapshot[], snapshot: HeldSnapshot): number {
  let place = list.length
  while (place > 0 && isBefore(snapshot, list[place - 1] as HeldSnapshot)) place--
  return place
}

/** The two lists of one alert. A snapshot may be in both. */
export interface EvidenceLists {
  readonly first: HeldSnapshot[]
  readonly newest: HeldSnapshot[]
}

export function offer({ first, newest }: EvidenceLists, snapshot: HeldSnapshot, firstKept: number): void {
  insert(first, snapshot)
  if (first.length > firstKept) first.pop()
  insert(newest, snapshot)
  if (newest.length > NEWEST_KEPT) newest.shift()
}

function insert(list: HeldSnapshot[], snapshot: HeldSnapshot): void {
  const place = placeOf(list, snapshot)
  if (list[place - 1]?.offset === snapshot.offset) return
  if (place === list.length) list.push(snapshot)
  else list.splice(place, 0, snapshot)
}

/** Both lists as one, in order, as an alert carries it. */
export function renderEvidence({ first, newest }: EvidenceLists, topic: string, partition: number): Evidence[] {
  const shown = [...first]
  for (const snapshot of newest) insert(shown, snapshot)
  return shown.map((held) => ({
    id: held.id,
    t: isoTime(held.t),
    action: held.action,
    outcome: held.outcome,
    ...(held.subject === null ? {} : { subject: held.subject }),
    ...(held.target === null ? {} : { target: held.target }),
    ...(held.ip === null ? {} : { ip: held.ip }),
    ...(held.recordCount === null ? {} : { recordCount: held.recordCount }),
    ...(held.classification === null ? {} : { classification: held.classification }),
    topic,
    partition,
    offset: held.offset,
  }))
}

/** The first `limit` characters, never half of a surrogate pair. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text
  const last = text.charCodeAt(limit - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit)
}

/** Halves the longest text until all fit: ordinary events are far below the limit. */
function fit(texts: string[]): void {
  if (texts.reduce((sum, text) => sum + text.length, 0) * 6 <= TEXT_BYTES) return
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

import type { Severity } from '@tocsin/contracts'
import type { ByteReader, ByteWriter, Plain } from './bytes.ts'
import type { Night } from './calendar.ts'
import { Episode } from './episode.ts'
import type { EventPool } from './event-pool.ts'
import type { HeldSnapshot } from './evidence.ts'
import type { Floor, Group, GroupName } from './group.ts'
import type { Interval } from './stretches.ts'

/** Low bits of a row's `info` are its flags (event-pool.ts). */
const FLAG_BITS = 4
const FLAG_MASK = 2 ** FLAG_BITS - 1

/** Whose group it is, and of which version. */
export interface EncodedHead {
  readonly organizationId: string
  readonly ruleId: string
  readonly name: GroupName
  /** Index into the head's pinned programs, null for the version in force. */
  readonly pinned: number | null
}

/** What few groups have. */
interface Rest {
  readonly floor: Floor | null
  readonly stale: boolean
  readonly unsettled: Interval | null
  readonly names: readonly (readonly [number, string])[] | null
}

const FIGURES = [
  'firstTrue',
  'end',
  'endForClosing',
  'firstSeen',
  'lastSeen',
  'windowValue',
  'count',
  'total',
  'peak',
  'severity',
  'live',
  'lowerBound',
  'lastCountedAt',
  'revision',
  'publishedSize',
  'publishedSeverity',
  'lastRevisionAt',
  'changed',
] as const satisfies readonly (keyof Episode)[]
type EpisodeFigures = Pick<Episode, (typeof FIGURES)[number]>

/** Head, rows in order of arrival, evidence, alerts. Read it with `decodeHead`, then `decodeInto`. */
export function encodeGroup(group: Group, pool: EventPool, pinned: number | null, to: ByteWriter): void {
  const { owner, name, held, loose, episodes } = group
  to.name(owner.organization.id)
  to.name(owner.ruleId)
  encodeName(name, to)
  to.uint(pinned === null ? 0 : pinned + 1)
  to.uint(held.held)
  const places = loose.length === 0 ? null : new Map<number, number>()
  let t = 0
  let arrival = 0
  for (const slot of held.rows()) {
    places?.set(slot, places.size)
    to.int(pool.t(slot) - t)
    to.int(pool.arrival(slot) - arrival)
    t = pool.t(slot)
    arrival = pool.arrival(slot)
    to.number(pool.value(slot))
    to.word(pool.idLow(slot))
    to.word(pool.idHigh(slot))
    to.uint(pool.info(slot))
  }
  to.uint(loose.length)
  for (const snapshot of loose) encodeSnapshot(snapshot, places?.get(snapshot.row) ?? -1, to)
  to.value(restOf(group))
  to.uint(episodes.length)
  for (const episode of episodes.all()) encodeEpisode(episode, to)
}

export function decodeHead(from: ByteReader): EncodedHead {
  const organizationId = from.name()
  const ruleId = from.name()
  const name = decodeName(from)
  const pinned = from.uint()
  return { organizationId, ruleId, name, pinned: pinned === 0 ? null : pinned - 1 }
}

/** Fills a new group of the right owner, name and program. */
export function decodeInto(group: Group, from: ByteReader): void {
  const slots: number[] = []
  const id = { low: 0, high: 0 }
  let t = 0
  let arrival = 0
  for (let left = from.uint(); left > 0; left--) {
    t += from.int()
    arrival += from.int()
    const value = from.number()
    id.low = from.word()
    id.high = from.word()
    const info = from.uint()
    slots.push(group.held.add({ t, arrival, value, id, contentHash: info >>> FLAG_BITS, flags: info & FLAG_MASK }))
  }
  for (let left = from.uint(); left > 0; left--) {
    const snapshot = decodeSnapshot(from)
    group.loose.push({ ...snapshot, row: slots[snapshot.row] ?? -1 })
  }
  const rest = from.value() as Rest | null
  if (rest !== null) {
    group.floor = rest.floor
    group.stale = rest.stale
    group.unsettled = rest.unsettled
    group.names = rest.names === null ? null : new Map(rest.names)
  }
  for (let left = from.uint(); left > 0; left--) group.episodes.add(decodeEpisode(from))
}

function encodeName({ key, shown, night }: GroupName, to: ByteWriter): void {
  to.text(key)
  const fields = Object.keys(shown)
  to.uint(fields.length)
  for (const field of fields) {
    to.name(field)
    to.name(shown[field] as string)
  }
  to.value(night as Plain)
}

function decodeName(from: ByteReader): GroupName {
  const key = from.text()
  const shown: Record<string, string> = {}
  for (let left = from.uint(); left > 0; left--) shown[from.name()] = from.name()
  return { key, shown, night: from.value() as Night | null }
}

/** Null for most groups. */
function restOf({ floor, stale, unsettled, names }: Group): Plain {
  if (floor === null && !stale && unsettled === null && names === null) return null
  const rest: Rest = { floor, stale, unsettled, names: names === null ? null : [...names] }
  return rest as unknown as Plain
}

/** `row` counts from the first row of the group; -1 where it is held no more. */
function encodeSnapshot(snapshot: HeldSnapshot, row: number, to: ByteWriter): void {
  to.int(snapshot.t)
  to.text(snapshot.id)
  to.int(row)
  to.text(snapshot.offset)
  to.name(snapshot.action)
  to.name(snapshot.outcome)
  encodeMissable(snapshot.subject, to)
  encodeMissable(snapshot.target, to)
  encodeMissable(snapshot.ip, to)
  to.value(snapshot.recordCount)
  encodeMissable(snapshot.classification, to)
}

function decodeSnapshot(from: ByteReader): HeldSnapshot {
  return {
    t: from.int(),
    id: from.text(),
    row: from.int(),
    offset: from.text(),
    action: from.name(),
    outcome: from.name(),
    subject: decodeMissable(from),
    target: decodeMissable(from),
    ip: decodeMissable(from),
    recordCount: from.value() as number | null,
    classification: decodeMissable(from),
  }
}

/** None of these texts is empty. */
const encodeMissable = (text: string | null, to: ByteWriter): void => to.name(text ?? '')
const decodeMissable = (from: ByteReader): string | null => from.name() || null

function encodeEpisode(episode: Episode, to: ByteWriter): void {
  const { opening, stretches, noted, evidence } = episode
  to.value({
    opening: { ...opening, offset: opening.offset.toString() },
    stretches: stretches.all().flatMap(({ from, to }) => [from, to]),
    figures: Object.fromEntries(FIGURES.map((name) => [name, episode[name]])),
    noted: [...noted],
  })
  for (const list of [evidence.first, evidence.newest]) {
    to.uint(list.length)
    for (const snapshot of list) encodeSnapshot(snapshot, -1, to)
  }
}

interface EncodedEpisode {
  readonly opening: {
    readonly id: string
    readonly offset: string
    readonly createdAt: number
    readonly correlationId: string | null
  }
  /** Beginning and end of each stretch in turn. */
  readonly stretches: readonly number[]
  readonly figures: EpisodeFigures & { readonly severity: Severity }
  readonly noted: readonly number[]
}

function decodeEpisode(from: ByteReader): Episode {
  const { opening, stretches, figures, noted } = from.value() as unknown as EncodedEpisode
  const first = { from: figures.firstTrue, to: figures.end }
  const episode = new Episode({ ...opening, offset: BigInt(opening.offset) }, first, figures.severity)
  for (let at = 0; at + 1 < stretches.length; at += 2) {
    episode.stretches.add({ from: stretches[at] as number, to: stretches[at + 1] as number })
  }
  Object.assign(episode, figures)
  for (const value of noted) episode.note(value)
  for (const list of [episode.evidence.first, episode.evidence.newest])
    for (let left = from.uint(); left > 0; left--) list.push(decodeSnapshot(from))
  return episode
}

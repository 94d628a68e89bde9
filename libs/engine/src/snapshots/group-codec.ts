import type { Severity } from '@tocsin/contracts'
import { Episode } from '../alerts/episode.ts'
import type { Baseline } from '../baselines/baseline.ts'
import { adapted } from '../baselines/baselines.ts'
import type { Floor, Group } from '../group.ts'
import type { EventPool } from '../held/event-pool.ts'
import type { EvidencePool } from '../held/evidence-pool.ts'
import { isTold } from '../held/told-events.ts'
import type { GroupName } from '../matching/group-name.ts'
import type { Night } from '../rules/calendar.ts'
import type { Interval } from '../truth/stretches.ts'
import type { ByteReader, ByteWriter, Plain } from './bytes.ts'

/** Evidence of an alert outlives its event. */
const NO_ROW_HERE = -1
/** Among so many rows, one is looked for by walking along them. */
const FEW = 16
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
  readonly names: readonly string[]
  /** From which the group's threshold was worked out. */
  readonly baseline: Baseline | null
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
  'countedAt',
  'revision',
  'publishedSize',
  'publishedSeverity',
  'lastRevisionAt',
  'changed',
] as const satisfies readonly (keyof Episode)[]
type EpisodeFigures = Pick<Episode, (typeof FIGURES)[number]>

/** Head, rows in order of arrival, evidence, alerts. Read it with `decodeHead`, then `decodeInto`. */
export function encodeGroup(group: Group, pool: EventPool, pinned: number | null, to: ByteWriter): void {
  const { owner, name, evidence, episodes } = group
  const rows = group.rows()
  const loose = group.loose()
  to.name(owner.organization.id)
  to.name(owner.ruleId)
  encodeName(name, to)
  to.uint(pinned === null ? 0 : pinned + 1)
  to.uint(rows.length)
  const places = rows.length <= FEW || loose.length === 0 ? null : new Map(rows.map((slot, place) => [slot, place]))
  let t = 0
  let arrival = 0
  for (const slot of rows) {
    to.int(pool.t(slot) - t)
    to.int(pool.arrival(slot) - arrival)
    t = pool.t(slot)
    arrival = pool.arrival(slot)
    to.number(pool.value(slot))
    to.word(pool.idLow(slot))
    to.word(pool.idHigh(slot))
    to.uint(pool.info(slot))
    if (isTold(group.program.kind)) encodeTold(group, slot, to)
  }
  to.uint(loose.length)
  for (const slot of loose) {
    const row = evidence.row(slot)
    to.int(places === null ? rows.indexOf(row) : (places.get(row) ?? -1))
    evidence.save(slot, to)
  }
  to.value(restOf(group))
  to.uint(episodes.length)
  for (const episode of episodes.all()) encodeEpisode(episode, evidence, to)
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
  const decided: number[] = []
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
    const row = { t, arrival, value, id, contentHash: info >>> FLAG_BITS, flags: info & FLAG_MASK }
    if (!isTold(group.program.kind)) slots.push(group.hold(row))
    else {
      const isDecided = from.uint() === 1
      slots.push(group.hold(row, { id: from.text(), correlationId: from.value() as string | null, weight: from.number() }))
      if (isDecided) decided.push(slots.at(-1) as number)
    }
  }
  if (decided.length > 0) group.held.told.settling?.decide(decided)
  for (let left = from.uint(); left > 0; left--) {
    const row = from.int()
    group.keepLoose(group.evidence.restore(from.blob(), slots[row] ?? -1))
  }
  const rest = from.value() as Rest | null
  if (rest !== null) {
    if (rest.baseline !== null) group.adapt(adapted(group.program, rest.baseline))
    group.floor = rest.floor
    group.stale = rest.stale
    group.unsettled = rest.unsettled
    group.names = rest.names
  }
  for (let left = from.uint(); left > 0; left--) group.addEpisode(decodeEpisode(from, group.evidence))
}

function encodeTold({ held }: Group, slot: number, to: ByteWriter): void {
  const { id, correlationId, weight } = held.told.of(slot)
  to.uint(held.told.isDecided(slot) ? 1 : 0)
  to.text(id)
  to.value(correlationId)
  to.number(weight)
}

function encodeName({ key, night }: GroupName, to: ByteWriter): void {
  to.name(key)
  to.value(night as Plain)
}

function decodeName(from: ByteReader): GroupName {
  return { key: from.name(), night: from.value() as Night | null }
}

/** Null for most groups. */
function restOf({ floor, stale, unsettled, names, adapted: condition }: Group): Plain {
  const baseline = condition?.baseline ?? null
  if (floor === null && !stale && unsettled === null && names.length === 0 && baseline === null) return null
  const rest: Rest = { floor, stale, unsettled, names, baseline }
  return rest as unknown as Plain
}

function encodeEpisode(episode: Episode, pool: EvidencePool, to: ByteWriter): void {
  const { opening, stretches, noted, evidence } = episode
  to.value({
    opening: { ...opening, offset: opening.offset.toString() },
    stretches: stretches.all().flatMap(({ from, to }) => [from, to]),
    figures: Object.fromEntries(FIGURES.map((name) => [name, episode[name]])),
    noted: [...noted],
  })
  for (const list of [evidence.first, evidence.newest]) {
    to.uint(list.length)
    for (const slot of list) pool.save(slot, to)
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

function decodeEpisode(from: ByteReader, pool: EvidencePool): Episode {
  const { opening, stretches, figures, noted } = from.value() as unknown as EncodedEpisode
  const first = { from: figures.firstTrue, to: figures.end }
  const episode = new Episode({ ...opening, offset: BigInt(opening.offset) }, first, figures.severity)
  for (let at = 0; at + 1 < stretches.length; at += 2) {
    episode.stretches.add({ from: stretches[at] as number, to: stretches[at + 1] as number })
  }
  Object.assign(episode, figures)
  for (const value of noted) episode.note(value)
  const { first: oldest, newest } = episode.evidence
  for (let left = from.uint(); left > 0; left--) oldest.push(pool.restore(from.blob(), NO_ROW_HERE))
  for (let left = from.uint(); left > 0; left--) {
    const slot = pool.restore(from.blob(), NO_ROW_HERE)
    // One that is in both lists is there once.
    const same = oldest.find((each) => pool.isSameEvent(each, slot))
    if (same !== undefined) pool.release(slot)
    newest.push(same ?? slot)
  }
  return episode
}

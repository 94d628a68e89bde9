import type { Severity } from '@tocsin/contracts'
import { Episode, type Opening } from './episode.ts'
import type { EventPool } from './event-pool.ts'
import type { EvidenceLists, HeldSnapshot } from './evidence.ts'
import type { Floor, Group, GroupName } from './group.ts'
import type { Interval } from './stretches.ts'

/** Low bits of a row's `info` are its flags (event-pool.ts). */
const FLAG_BITS = 4
const FLAG_MASK = 2 ** FLAG_BITS - 1

/** A group as plain data. Columns are little-endian bytes; rows are in order of arrival. */
export interface EncodedGroup {
  readonly organizationId: string
  readonly ruleId: string
  readonly name: GroupName
  /** Index into the head's pinned programs, null for the version in force. */
  readonly pinned: number | null
  readonly rows: EncodedRows
  /** `row` counts from the first row of this group. */
  readonly loose: readonly HeldSnapshot[]
  readonly episodes: readonly EncodedEpisode[]
  readonly floor: Floor | null
  readonly stale: boolean
  readonly unsettled: Interval | null
  readonly names: readonly (readonly [number, string])[] | null
}

interface EncodedRows {
  readonly count: number
  readonly t: Uint8Array
  readonly arrival: Uint8Array
  readonly value: Uint8Array
  readonly idLow: Uint8Array
  readonly idHigh: Uint8Array
  readonly info: Uint8Array
}

interface EncodedEpisode {
  readonly opening: Omit<Opening, 'offset'> & { readonly offset: string }
  /** Beginning and end of each stretch in turn. */
  readonly stretches: readonly number[]
  readonly figures: EpisodeFigures
  readonly noted: readonly number[]
  readonly evidence: EvidenceLists
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

export function encodeGroup(group: Group, pool: EventPool, pinned: number | null): EncodedGroup {
  const rows = [...group.held.rows()]
  const places = group.loose.length === 0 ? null : new Map(rows.map((slot, index) => [slot, index]))
  return {
    organizationId: group.owner.organization.id,
    ruleId: group.owner.ruleId,
    name: group.name,
    pinned,
    rows: {
      count: rows.length,
      t: bytesOf(Float64Array.from(rows, (slot) => pool.t(slot))),
      arrival: bytesOf(Float64Array.from(rows, (slot) => pool.arrival(slot))),
      value: bytesOf(Float64Array.from(rows, (slot) => pool.value(slot))),
      idLow: bytesOf(Uint32Array.from(rows, (slot) => pool.idLow(slot))),
      idHigh: bytesOf(Uint32Array.from(rows, (slot) => pool.idHigh(slot))),
      info: bytesOf(Uint32Array.from(rows, (slot) => pool.info(slot))),
    },
    loose: group.loose.map((snapshot) => ({ ...snapshot, row: places?.get(snapshot.row) ?? -1 })),
    episodes: group.episodes.all().map(encodeEpisode),
    floor: group.floor,
    stale: group.stale,
    unsettled: group.unsettled,
    names: group.names === null ? null : [...group.names],
  }
}

/** Fills a new group of the right owner, name and program. */
export function decodeInto(group: Group, encoded: EncodedGroup): void {
  const { rows } = encoded
  const t = new Float64Array(copyOf(rows.t))
  const arrival = new Float64Array(copyOf(rows.arrival))
  const value = new Float64Array(copyOf(rows.value))
  const idLow = new Uint32Array(copyOf(rows.idLow))
  const idHigh = new Uint32Array(copyOf(rows.idHigh))
  const infos = new Uint32Array(copyOf(rows.info))
  const slots: number[] = []
  for (let row = 0; row < rows.count; row++) {
    const info = infos[row] as number
    slots.push(
      group.held.add({
        t: t[row] as number,
        arrival: arrival[row] as number,
        value: value[row] as number,
        id: { low: idLow[row] as number, high: idHigh[row] as number },
        contentHash: info >>> FLAG_BITS,
        flags: info & FLAG_MASK,
      }),
    )
  }
  for (const snapshot of encoded.loose) group.loose.push({ ...snapshot, row: slots[snapshot.row] ?? -1 })
  for (const episode of encoded.episodes) group.episodes.add(decodeEpisode(episode))
  group.floor = encoded.floor
  group.stale = encoded.stale
  group.unsettled = encoded.unsettled
  group.names = encoded.names === null ? null : new Map(encoded.names)
}

/** About how many bytes an encoded group takes. */
export const sizeOfEncoded = ({ rows, loose, episodes }: EncodedGroup): number =>
  500 + rows.count * 36 + 300 * loose.length + episodes.reduce((sum, episode) => sum + sizeOfEpisode(episode), 0)

const sizeOfEpisode = ({ stretches, noted, evidence }: EncodedEpisode): number =>
  600 + 9 * (stretches.length + noted.length) + 300 * (evidence.first.length + evidence.newest.length)

function encodeEpisode(episode: Episode): EncodedEpisode {
  const figures: Partial<Record<keyof EpisodeFigures, number | boolean | Severity>> = {}
  for (const name of FIGURES) figures[name] = episode[name]
  return {
    opening: { ...episode.opening, offset: episode.opening.offset.toString() },
    stretches: episode.stretches.all().flatMap(({ from, to }) => [from, to]),
    figures: figures as EpisodeFigures,
    noted: [...episode.noted],
    evidence: { first: [...episode.evidence.first], newest: [...episode.evidence.newest] },
  }
}

function decodeEpisode({ opening, stretches, figures, noted, evidence }: EncodedEpisode): Episode {
  const first = { from: figures.firstTrue, to: figures.end }
  const episode = new Episode({ ...opening, offset: BigInt(opening.offset) }, first, figures.severity)
  for (let at = 0; at + 1 < stretches.length; at += 2) {
    episode.stretches.add({ from: stretches[at] as number, to: stretches[at + 1] as number })
  }
  Object.assign(episode, figures)
  for (const value of noted) episode.note(value)
  episode.evidence.first.push(...evidence.first)
  episode.evidence.newest.push(...evidence.newest)
  return episode
}

/** Columns are written as they lie in memory; every machine that Node 24 runs on is little-endian. */
const bytesOf = (column: Float64Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): Uint8Array => new Uint8Array(column.buffer)

/** Aligned: decoders give views into larger buffers. */
const copyOf = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer

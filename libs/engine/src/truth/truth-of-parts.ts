import type { RowsByPart } from '../held/rows-by-part.ts'
import type { EpochMs } from '../time.ts'
import type { Leaves } from './run.ts'
import { type Interval, Stretches } from './stretches.ts'

/**
 * When, from `t` until an event of that time leaves, the window holds events of the right rules (`temporal`).
 *
 * In a stretch as short as a window, a rule is missing at most once: from when its last event up to `t` has left until its next
 * event comes. So two looks into each rule's list tell all, however many events lie in between.
 */
export function truthOfPartsFrom(
  rows: RowsByPart,
  holds: (parts: number) => boolean,
  leaves: Leaves,
  t: EpochMs,
): readonly Interval[] {
  const end = leaves(t)
  const gone: EpochMs[] = []
  const back: EpochMs[] = []
  const cuts = new Set([t])
  for (let part = 0; part < rows.parts; part++) {
    const last = rows.lastUpTo(part, t)
    const until = last === Number.NEGATIVE_INFINITY ? t : Math.max(t, leaves(last))
    const from = rows.firstFrom(part, t + 1)
    gone.push(until)
    back.push(from)
    if (until < end) cuts.add(until)
    if (from < end) cuts.add(from)
  }
  const found = new Stretches()
  const places = [...cuts].sort((one, other) => one - other)
  for (const [index, from] of places.entries()) {
    let parts = 0
    for (let part = 0; part < rows.parts; part++)
      if (from < (gone[part] as EpochMs) || from >= (back[part] as EpochMs)) parts |= 1 << part
    if (holds(parts >>> 0)) found.add({ from, to: places[index + 1] ?? end })
  }
  return found.all()
}

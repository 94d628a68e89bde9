import type { EpochMs } from '../time.ts'
import { type EvidencePool, NO_EVIDENCE } from './evidence-pool.ts'

const NONE: readonly number[] = []

/**
 * The evidence of a group's events that are in no alert yet: a ring of snapshots in order, known by its newest (NO_EVIDENCE: empty), so that
 * a group holds one number. The newest's newer one is the oldest; the oldest has no older one.
 */

/** Takes a snapshot in, lets the oldest go where there are more than `most`, and returns the newest. */
export function keepEvidence(pool: EvidencePool, newest: number, snapshot: number, most: number): number {
  if (newest === NO_EVIDENCE) {
    pool.setNewer(snapshot, snapshot)
    pool.setCount(snapshot, 1)
    return snapshot
  }
  const appended = pool.append(newest, snapshot)
  if (appended > 0) return appended <= most ? snapshot : dropEvidence(pool, snapshot, pool.newer(snapshot))
  const count = pool.count(newest)
  let before = newest
  let passed = 0
  while (passed < count && pool.isBefore(snapshot, before)) {
    passed++
    if (passed < count) before = pool.older(before)
  }
  const now = passed === 0 ? snapshot : newest
  if (passed === 0) {
    pool.setNewer(snapshot, pool.newer(newest))
    pool.setNewer(newest, snapshot)
    pool.setOlder(snapshot, newest)
  } else if (passed === count) {
    const oldest = pool.newer(newest)
    pool.setNewer(newest, snapshot)
    pool.setNewer(snapshot, oldest)
    pool.setOlder(oldest, snapshot)
  } else {
    pool.setOlder(pool.newer(before), snapshot)
    pool.setNewer(snapshot, pool.newer(before))
    pool.setNewer(before, snapshot)
    pool.setOlder(snapshot, before)
  }
  pool.setCount(now, count + 1)
  return count < most ? now : dropEvidence(pool, now, pool.newer(now))
}

/** Takes a snapshot out and releases it; returns the newest. */
export function dropEvidence(pool: EvidencePool, newest: number, snapshot: number): number {
  const left = unlinkEvidence(pool, newest, snapshot)
  pool.release(snapshot)
  return left
}

/** Takes a snapshot out, for another owner; returns the newest. */
export function unlinkEvidence(pool: EvidencePool, newest: number, snapshot: number): number {
  const count = pool.count(newest) - 1
  if (count === 0) return NO_EVIDENCE
  const newer = pool.newer(snapshot)
  if (snapshot === pool.newer(newest)) {
    // The oldest.
    pool.setNewer(newest, newer)
    pool.setCount(newest, count)
    return newest
  }
  const older = pool.older(snapshot)
  pool.setNewer(older, newer)
  const now = snapshot === newest ? older : newest
  if (now === newest) pool.setOlder(newer, older)
  pool.setCount(now, count)
  return now
}

/** Snapshots from the oldest to the newest. */
export function looseEvidence(pool: EvidencePool, newest: number): readonly number[] {
  if (newest === NO_EVIDENCE) return NONE
  const found: number[] = []
  for (let at = pool.newer(newest); ; at = pool.newer(at)) {
    found.push(at)
    if (at === newest) return found
  }
}

/** The snapshot of a row, NO_EVIDENCE where it has none; `t` is the row's event time. */
export function evidenceOfRow(pool: EvidencePool, newest: number, row: number, t: EpochMs): number {
  if (newest === NO_EVIDENCE) return NO_EVIDENCE
  for (let at = pool.newer(newest); pool.t(at) <= t; at = pool.newer(at)) {
    if (pool.row(at) === row) return at
    if (at === newest) break
  }
  return NO_EVIDENCE
}

/**
 * The two halves of an alert and how they meet (design §5.2). Pure.
 *
 * 1. A half that is not newer than the one held is dropped; neither half overwrites the other.
 * 2. A status change holds only the fields it changed, so it needs the status before it; before version 1 that is UNTOUCHED.
 */
import { maskAlert } from '@tocsin/access'
import { type Alert, type AlertFigures, type AlertStatusChange, type AlertWithEvidence, UNTOUCHED } from '@tocsin/contracts'
import type { HalfRecord } from './alert-record.ts'

/** Evidence stays behind: the API gives it on one alert only. */
export type Figures = Omit<AlertFigures, 'evidence'>
export type Status = Pick<Alert, keyof typeof UNTOUCHED>

/** What is known of one alert; null: that half was not seen. */
export interface Halves {
  readonly figures: Figures | null
  readonly status: Status | null
  /** Fields of status changes that came without the status before them; null once `status` is known. */
  readonly loose: (Partial<Status> & { readonly version: number }) | null
  readonly statusUpdatedAt: string | null
}

export const NOTHING: Halves = { figures: null, status: null, loose: null, statusUpdatedAt: null }

/** Nobody has acted: a status half of its own right. */
export const untouched = (halves: Halves): Halves =>
  halves.status === null && halves.loose === null ? { ...halves, status: UNTOUCHED } : halves

export type Applied = { readonly kind: 'newer'; readonly halves: Halves } | { readonly kind: 'stale' }

/** `halves` after `record`, or stale when it holds nothing new (1). */
export function apply(halves: Halves, record: HalfRecord): Applied {
  return record.half === 'figures' ? applyFigures(halves, record.figures) : applyStatus(halves, record.change)
}

function applyFigures(halves: Halves, figures: AlertFigures): Applied {
  if (halves.figures !== null && figures.revision <= halves.figures.revision) return { kind: 'stale' }
  const { evidence: _evidence, ...rest } = figures
  return { kind: 'newer', halves: { ...halves, figures: rest } }
}

function applyStatus(halves: Halves, change: AlertStatusChange): Applied {
  const held = halves.status?.version ?? halves.loose?.version ?? 0
  if (change.version <= held) return { kind: 'stale' }
  const base = halves.status ?? (change.version === 1 ? UNTOUCHED : null) // 2
  const statusUpdatedAt = change.updatedAt
  const changes = change.changes as Partial<Status>
  if (base === null)
    return {
      kind: 'newer',
      halves: { ...halves, loose: { ...halves.loose, ...changes, version: change.version }, statusUpdatedAt },
    }
  return {
    kind: 'newer',
    halves: { ...halves, status: { ...base, ...changes, version: change.version }, loose: null, statusUpdatedAt },
  }
}

/** Without what they say of people. */
export const maskHalves = (halves: Halves): Halves => ({
  ...halves,
  figures: halves.figures === null ? null : maskAlert(halves.figures),
  status: halves.status === null ? null : maskAlert(halves.status),
  loose: halves.loose === null ? null : maskAlert(halves.loose),
})

/** Both halves as persistence has them. */
export function halvesOf(alert: AlertWithEvidence | Alert): Halves {
  const { evidence: _evidence, ...rest } = alert as AlertWithEvidence
  const figures: Record<string, unknown> = {}
  const status: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(rest)) (name in UNTOUCHED ? status : figures)[name] = value
  return {
    figures: figures as unknown as Figures,
    status: status as unknown as Status,
    loose: null,
    statusUpdatedAt: rest.updatedAt,
  }
}

/** The newer of each half. */
export function merge(one: Halves, other: Halves): Halves {
  const figures = (one.figures?.revision ?? 0) >= (other.figures?.revision ?? 0) ? one.figures : other.figures
  const versionOf = (halves: Halves) => halves.status?.version ?? -1
  const newer = versionOf(one) >= versionOf(other) ? one : other
  if (newer.status === null) return { ...newer, figures }
  // Loose changes that are newer than the status found belong on top of it.
  const loose = [one.loose, other.loose].filter((each) => each !== null && each.version > (newer.status as Status).version)
  const last = loose.at(-1)
  return {
    figures,
    status: last ? { ...newer.status, ...last } : newer.status,
    loose: null,
    statusUpdatedAt: latest(one.statusUpdatedAt, other.statusUpdatedAt),
  }
}

/** The alert as far as known; `partial` where a half is missing. null when nothing is known. */
export function join(halves: Halves): { readonly alert: Alert | Partial<Alert>; readonly partial: boolean } {
  const { figures, status, statusUpdatedAt } = halves
  if (figures !== null && status !== null) {
    return {
      alert: { ...figures, ...status, updatedAt: latest(figures.updatedAt, statusUpdatedAt) ?? figures.updatedAt },
      partial: false,
    }
  }
  const known = { ...figures, ...(status ?? halves.loose) } as Partial<Alert>
  const updatedAt = latest(figures?.updatedAt ?? null, statusUpdatedAt)
  if (updatedAt !== null) known.updatedAt = updatedAt
  return { alert: known, partial: true }
}

const latest = (one: string | null, other: string | null): string | null => {
  if (one === null || other === null) return one ?? other
  return Date.parse(one) >= Date.parse(other) ? one : other
}

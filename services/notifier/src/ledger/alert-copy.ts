import { type AlertFigures, type AlertStatusChange, UNTOUCHED } from '@tocsin/contracts'
import type { AlertCopy } from '../plan/vocabulary.ts'

/** The detector's half without its evidence, which no message shows. */
export type StoredFigures = Omit<AlertFigures, 'evidence'>
/** People's half: the changes so far, laid over one another, and when the last was made. */
export type StoredPeople = AlertStatusChange['changes'] & { readonly changedAt?: string }

export interface StoredAlert {
  readonly figures: StoredFigures | null
  readonly revision: number
  readonly people: StoredPeople
  readonly version: number
}

export const UNKNOWN_ALERT: StoredAlert = { figures: null, revision: 0, people: {}, version: 0 }

/** The alert with a newer half, or null where the half is not newer: a replay, or a copy that was overtaken. */
export function withFigures(known: StoredAlert, { evidence: _evidence, ...figures }: AlertFigures): StoredAlert | null {
  return figures.revision > known.revision ? { ...known, figures, revision: figures.revision } : null
}

export function withStatus(known: StoredAlert, change: AlertStatusChange): StoredAlert | null {
  if (change.version <= known.version) return null
  return { ...known, people: { ...known.people, ...change.changes, changedAt: change.updatedAt }, version: change.version }
}

/** Both halves joined as the API joins them; null while the figures are unknown. */
export function joined({ figures, people, version }: Pick<StoredAlert, 'figures' | 'people' | 'version'>): AlertCopy | null {
  if (figures === null) return null
  const { changedAt, ...status } = people
  const updatedAt = changedAt !== undefined && changedAt > figures.updatedAt ? changedAt : figures.updatedAt
  return { ...figures, ...UNTOUCHED, ...status, version, updatedAt }
}

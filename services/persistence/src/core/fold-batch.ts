import type { AlertFigures, AlertStatusChange, FigureRecordType, StatusRecordType } from '@tocsin/contracts'

/** One record of `alerts`, understood. */
export type AlertRecord =
  | { readonly half: 'figures'; readonly type: FigureRecordType; readonly figures: AlertFigures }
  | { readonly half: 'status'; readonly type: StatusRecordType; readonly change: AlertStatusChange }

/** What a batch comes to: of each half of each alert only what can still be newer than the row. */
export interface FoldedBatch {
  /** One for each alert, its highest revision. */
  readonly figures: readonly AlertFigures[]
  /** In log order, versions rising for each alert. */
  readonly statuses: readonly { readonly type: StatusRecordType; readonly change: AlertStatusChange }[]
}

/** The halves do not touch each other, so figures may go first; a later revision replaces an earlier one within the batch. */
export function foldBatch(records: readonly AlertRecord[]): FoldedBatch {
  const figures = new Map<string, AlertFigures>()
  const versions = new Map<string, number>()
  const statuses: { type: StatusRecordType; change: AlertStatusChange }[] = []
  for (const record of records) {
    if (record.half === 'figures') {
      const known = figures.get(record.figures.id)
      if (known === undefined || record.figures.revision > known.revision) figures.set(record.figures.id, record.figures)
    } else if (record.change.version > (versions.get(record.change.id) ?? 0)) {
      versions.set(record.change.id, record.change.version)
      statuses.push({ type: record.type, change: record.change })
    }
  }
  return { figures: [...figures.values()], statuses }
}

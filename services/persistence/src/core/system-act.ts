import type { Alert, AlertFigures } from '@tocsin/contracts'
import type { StatusCommand } from './status-change.ts'

/** What the system does in the place of people. */
export interface SystemAct {
  readonly command: StatusCommand
  /** Only where no person has acted on the alert: their word stands. */
  readonly unlessTouched: boolean
}

/** What follows from new figures for the status; null: nothing. */
export function systemActOn(
  figures: Pick<AlertFigures, 'metadata' | 'open' | 'count'>,
  { status, endedAtCount }: Pick<Alert, 'status' | 'endedAtCount'>,
): SystemAct | null {
  const { mergedInto, autoResolve } = figures.metadata
  const isOver = status === 'resolved' || status === 'dismissed'
  if (typeof mergedInto === 'string') {
    if (isOver) return null
    return { command: { action: 'dismiss', reason: 'duplicate', metadata: { mergedInto } }, unlessTouched: true }
  }
  if (isOver) {
    if (endedAtCount === null || !hasDoubled(figures.count, endedAtCount)) return null
    const comment = `It went on: ${figures.count} since it was ended at ${endedAtCount}.`
    return { command: { action: 'reopen', comment }, unlessTouched: false }
  }
  if (autoResolve === true && !figures.open)
    return { command: { action: 'resolve', notes: 'The episode ended.' }, unlessTouched: true }
  return null
}

const hasDoubled = (count: number, endedAt: number): boolean => count >= Math.max(2 * endedAt, endedAt + 1)

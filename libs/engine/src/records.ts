import type { AlertFigures, ControlRecord, FigureRecordType } from '@tocsin/contracts'
import type { EventView } from './event/event-view.ts'
import type { EpochMs } from './time.ts'

/**
 * One record of a partition of `audit.events`, checked against its contract. `other` is a record that the shell
 * set aside (a dead letter): it moves log time and does nothing else. `appendTime` is the broker's.
 */
export type EngineRecord =
  | { readonly kind: 'event'; readonly appendTime: EpochMs; readonly offset: bigint; readonly event: EventView }
  | { readonly kind: 'tick' | 'other'; readonly appendTime: EpochMs; readonly offset: bigint }
  | { readonly kind: 'control'; readonly appendTime: EpochMs; readonly offset: bigint; readonly control: ControlRecord }

/** One record for topic `alerts`: `type` goes into the header, `alert` is the value. */
export interface AlertChange {
  readonly type: FigureRecordType
  readonly alert: AlertFigures
}

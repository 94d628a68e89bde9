import {
  AlertErased,
  AlertFigures,
  AlertStatusChange,
  ERASED_RECORD_TYPE,
  FIGURE_RECORD_TYPES,
  type FigureRecordType,
  STATUS_RECORD_TYPES,
  type StatusRecordType,
} from '@tocsin/contracts'
import { Compile } from 'typebox/compile'

/** A place in `alerts` and when the broker appended it (milliseconds since 1970). */
export interface Place {
  readonly partition: number
  readonly offset: bigint
  readonly appendTime: number
}

/** One record of `alerts` with the detector's half or people's half of an alert. */
export type HalfRecord =
  | { readonly half: 'figures'; readonly type: FigureRecordType; readonly figures: AlertFigures }
  | { readonly half: 'status'; readonly type: StatusRecordType; readonly change: AlertStatusChange }
/** Or that an alert, or what it said of people, is gone. */
export type AlertRecord =
  | HalfRecord
  | { readonly half: 'none'; readonly type: typeof ERASED_RECORD_TYPE; readonly erased: AlertErased }

export type Decoded =
  | { readonly kind: 'record'; readonly record: AlertRecord }
  /** Not what the contract says: persistence dead-letters it, the gateway passes over it. */
  | { readonly kind: 'invalid'; readonly reason: string }
  /** Written by a newer release (design §5.7). */
  | { readonly kind: 'unknownType'; readonly type: string }

const figuresCheck = Compile(AlertFigures)
const statusCheck = Compile(AlertStatusChange)
const erasedCheck = Compile(AlertErased)
const isFigureType = (type: string): type is FigureRecordType => (FIGURE_RECORD_TYPES as readonly string[]).includes(type)
const isStatusType = (type: string): type is StatusRecordType => (STATUS_RECORD_TYPES as readonly string[]).includes(type)

/** Reads a record's value by its header `tocsin-type`. */
export function decodeAlertRecord(type: string | undefined, value: Buffer | null): Decoded {
  if (type === undefined) return { kind: 'invalid', reason: 'no type header' }
  if (!isFigureType(type) && !isStatusType(type) && type !== ERASED_RECORD_TYPE) return { kind: 'unknownType', type }
  const parsed = parse(value)
  if (type === ERASED_RECORD_TYPE) {
    if (!erasedCheck.Check(parsed)) return { kind: 'invalid', reason: 'not AlertErased' }
    return { kind: 'record', record: { half: 'none', type, erased: parsed } }
  }
  if (isFigureType(type)) {
    if (!figuresCheck.Check(parsed)) return { kind: 'invalid', reason: 'not AlertFigures' }
    return { kind: 'record', record: { half: 'figures', type, figures: parsed } }
  }
  if (!statusCheck.Check(parsed)) return { kind: 'invalid', reason: 'not AlertStatusChange' }
  return { kind: 'record', record: { half: 'status', type, change: parsed } }
}

function parse(value: Buffer | null): unknown {
  try {
    return value === null ? undefined : JSON.parse(value.toString('utf8'))
  } catch {
    return undefined
  }
}

const contentOf = (record: AlertRecord): AlertFigures | AlertStatusChange | AlertErased =>
  record.half === 'figures' ? record.figures : record.half === 'status' ? record.change : record.erased
export const organizationOf = (record: AlertRecord): string => contentOf(record).organizationId
export const alertIdOf = (record: AlertRecord): string => contentOf(record).id

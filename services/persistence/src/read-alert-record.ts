import { isUtf8 } from 'node:buffer'
import {
  AlertFigures,
  AlertStatusChange,
  type DeadCode,
  ERASED_RECORD_TYPE,
  FIGURE_RECORD_TYPES,
  type FigureRecordType,
  HEADERS,
  STATUS_RECORD_TYPES,
  type StatusRecordType,
} from '@tocsin/contracts'
import { type Disposition, deadLettered, dropped, halt, headerOf, type KafkaRecord } from '@tocsin/kafka'
import { Compile } from 'typebox/compile'
import type { AlertRecord } from './core/fold-batch.ts'
import { maybeUnstorable, unstorable } from './core/storable.ts'

const checkFigures = Compile(AlertFigures)
const checkStatus = Compile(AlertStatusChange)
const isFigureType = (type: string): type is FigureRecordType => (FIGURE_RECORD_TYPES as readonly string[]).includes(type)
const isStatusType = (type: string): type is StatusRecordType => (STATUS_RECORD_TYPES as readonly string[]).includes(type)
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Parses and checks. A record that can never be stored is a dead letter here, before the database could refuse it for ever; a
 * type that this release does not know halts the partition (design §5.7).
 */
export function readAlertRecord(record: KafkaRecord): { readonly kind: 'take'; readonly value: AlertRecord } | Disposition {
  const type = headerOf(record, HEADERS.type)
  if (type === undefined) return deadLettered('UNKNOWN_TYPE', `header ${HEADERS.type} is missing`)
  // What persistence erased it has erased: its own record has nothing to add.
  if (type === ERASED_RECORD_TYPE) return dropped('notNewer')
  if (!isFigureType(type) && !isStatusType(type))
    return halt(`record type ${JSON.stringify(type.slice(0, 64))} is unknown to this release`)
  const parsed = parse(record.value)
  if ('code' in parsed) return deadLettered(parsed.code, parsed.reason)
  const { value } = parsed
  if (isFigureType(type)) {
    if (!checkFigures.Check(value)) return deadLettered('INVALID', faults(checkFigures.Errors(value)))
    const { mergedInto } = value.metadata
    if (mergedInto !== undefined && (typeof mergedInto !== 'string' || !UUID.test(mergedInto)))
      return deadLettered('INVALID', '/metadata/mergedInto is no UUID')
    return { kind: 'take', value: { half: 'figures', type, figures: value } }
  }
  if (!checkStatus.Check(value)) return deadLettered('INVALID', faults(checkStatus.Errors(value)))
  return { kind: 'take', value: { half: 'status', type, change: value } }
}

function parse(bytes: Buffer | null): { readonly value: unknown } | { readonly code: DeadCode; readonly reason: string } {
  if (bytes === null || bytes.length === 0) return { code: 'MALFORMED', reason: 'the value is empty' }
  const text = bytes.toString()
  let value: unknown
  try {
    if (!isUtf8(bytes)) throw new Error('it is not UTF-8')
    value = JSON.parse(text)
  } catch {
    return { code: 'MALFORMED', reason: 'the value is not JSON in UTF-8' }
  }
  const place = maybeUnstorable(text) ? unstorable(value) : null
  return place === null ? { value } : { code: 'INVALID', reason: `${place} holds U+0000 or half of a surrogate pair` }
}

const faults = (errors: readonly { readonly instancePath: string; readonly message: string }[]): string =>
  errors
    .slice(0, 5)
    .map((fault) => `${fault.instancePath} ${fault.message}`)
    .join('; ')

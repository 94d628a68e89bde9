import { AuditEvent, ControlRecord, type DeadCode, EVENT_RECORD_TYPES, HEADERS } from '@tocsin/contracts'
import { type EngineRecord, type EventScanner, type EventView, parsedEvent } from '@tocsin/engine'
import { messageOf } from '@tocsin/errors'
import { headerOf, type KafkaRecord, partOf } from '@tocsin/kafka'
import { Compile } from 'typebox/compile'

/** What a record of `audit.events` is to the engine; one that is set aside still moves log time, as kind `other`. */
export type Reading =
  | { readonly kind: 'process'; readonly record: EngineRecord }
  | { readonly kind: 'dead'; readonly code: DeadCode; readonly reason: string }
  | { readonly kind: 'dropped'; readonly reason: string }
  /** Written by a newer release: what it means is not known, so nothing after it may be judged. */
  | { readonly kind: 'unknown'; readonly reason: string }

const auditEvent = Compile(AuditEvent)
const controlRecord = Compile(ControlRecord)
const KNOWN_TYPES: ReadonlySet<string> = new Set(EVENT_RECORD_TYPES)
const SHOWN_FAULTS = 3

export interface ReadingOptions {
  /** The detector's in `replay-for`. */
  readonly name: string
  /** Throws for a rule or for settings that cannot be run. */
  readonly canRun: (control: ControlRecord) => void
  /** The view of an event that it reads is valid until the next one is read. */
  readonly scanner: Pick<EventScanner, 'scan'>
  /** Told of each event that the scanner declined. */
  readonly onDeclined: () => void
}

/** Pure but for the scanner's memory. */
export function readEventRecord(record: KafkaRecord, { name, canRun, scanner, onDeclined }: ReadingOptions): Reading {
  const { appendTime, offset } = record
  const replayFor = headerOf(record, HEADERS.replayFor)
  if (replayFor !== undefined && replayFor !== name) return { kind: 'dropped', reason: 'replayed for another consumer' }
  const type = headerOf(record, HEADERS.type) ?? 'event'
  if (!KNOWN_TYPES.has(type)) return { kind: 'unknown', reason: `type ${type} is not known to this release` }
  if (type === 'tick') return { kind: 'process', record: { kind: 'tick', appendTime, offset } }
  const part = partOf(record)
  if (part === null) return { kind: 'dead', code: 'MALFORMED', reason: 'the value is empty' }
  if (type === 'event') {
    const scanned = scanner.scan(part.bytes, part.from, part.to)
    if (scanned !== null) return { kind: 'process', record: { kind: 'event', appendTime, offset, event: scanned } }
    onDeclined()
    const parsed = parseEvent(part.bytes.subarray(part.from, part.to))
    return 'kind' in parsed ? parsed : { kind: 'process', record: { kind: 'event', appendTime, offset, event: parsed.event } }
  }
  const value = parse(part.bytes.subarray(part.from, part.to))
  if (value instanceof Error) return malformed(value)
  if (!controlRecord.Check(value))
    return { kind: 'dead', code: 'INVALID', reason: `not a ControlRecord: ${faultsOf(controlRecord.Errors(value))}` }
  try {
    canRun(value)
  } catch (error) {
    return { kind: 'dead', code: 'INVALID', reason: `${nameOf(value)} cannot be run: ${messageOf(error)}` }
  }
  return { kind: 'process', record: { kind: 'control', appendTime, offset, control: value } }
}

function nameOf(control: ControlRecord): string {
  switch (control.kind) {
    case 'rule':
      return `rule ${control.rule.ruleId} version ${control.rule.version}`
    case 'organization':
      return `organization ${control.organization.organizationId} version ${control.organization.version}`
    case 'organizationDeleted':
      return `the end of organization ${control.organizationId}`
  }
}

type Dead = Extract<Reading, { kind: 'dead' }>

/** The plain way, by which every other is judged: parse, then check against the contract. */
export function parseEvent(bytes: Buffer): { readonly event: EventView } | Dead {
  const value = parse(bytes)
  if (value instanceof Error) return malformed(value)
  if (!auditEvent.Check(value))
    return { kind: 'dead', code: 'INVALID', reason: `not an AuditEvent: ${faultsOf(auditEvent.Errors(value))}` }
  // A day that does not exist passes the format.
  if (Number.isNaN(Date.parse(value.timestamp)))
    return { kind: 'dead', code: 'INVALID', reason: `timestamp ${value.timestamp} is no time` }
  return { event: parsedEvent(value) }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error))
  }
}

const malformed = ({ message }: Error): Dead => ({ kind: 'dead', code: 'MALFORMED', reason: `the value is not JSON: ${message}` })

const faultsOf = (errors: readonly { readonly instancePath: string; readonly message: string }[]): string =>
  errors
    .slice(0, SHOWN_FAULTS)
    .map(({ instancePath, message }) => `${instancePath || '/'} ${message}`)
    .join('; ')

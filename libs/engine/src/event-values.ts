import type { AuditEvent } from '@tocsin/contracts'
import type { EventFields } from '@tocsin/sigma'
import { targetOf } from './evidence.ts'
import { hash32, hash53 } from './hash.ts'
import type { NotedField } from './patterns.ts'
import type { CompiledRule } from './rule.ts'

/** The value column of an event's row under a rule, and its text where the alert names it. */
export interface EventValue {
  readonly value: number
  readonly name: string | null
  /** The summed field holds something that is not a number >= 0: the event counts with weight 0. */
  readonly notNumeric: boolean
}

const NOTHING: EventValue = { value: 0, name: null, notNumeric: false }

/** Weight for sums, hash of the value for counts of distinct values and for what a pattern notes. */
export function valueOfEvent(rule: CompiledRule, event: AuditEvent, fields: EventFields): EventValue {
  if (rule.unit === 'sum') return weightOf(rule, fields)
  if (isDistinct(rule)) return hashed(textOf(fields(rule.valueField ?? '')), hash53)
  if (rule.valueField !== null) return hashed(textOf(fields(rule.valueField)), narrowHash)
  const { noted } = rule.traits
  if (noted === undefined) return NOTHING
  const text = notedText(noted, event)
  return { ...hashed(text, narrowHash), name: noted === 'targetResourceType' && text !== '' ? text : null }
}

function weightOf({ valueField, valueDefault }: CompiledRule, fields: EventFields): EventValue {
  const value = fields(valueField ?? '')
  if (value === undefined || value === null) return { ...NOTHING, value: valueDefault ?? 0 }
  const weight = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof weight !== 'number' || !(weight >= 0)) return { ...NOTHING, notNumeric: true }
  return { ...NOTHING, value: Math.min(Math.floor(weight), Number.MAX_SAFE_INTEGER) }
}

const isDistinct = (rule: CompiledRule): boolean => rule.unit === 'distinct' || rule.also.length > 0

const hashed = (text: string, hash: (text: string) => number): EventValue =>
  text === '' ? NOTHING : { value: hash(text), name: null, notNumeric: false }

/** What an alert only notes has half the bits: no condition depends on it (docs/detection.md D27). Never 0. */
const narrowHash = (text: string): number => hash53(text) >>> 0 || 1

/** Blank is absent. */
const textOf = (value: unknown): string =>
  typeof value === 'string'
    ? value.trim() === ''
      ? ''
      : value
    : value === undefined || value === null
      ? ''
      : JSON.stringify(value)

function notedText(noted: NotedField, event: AuditEvent): string {
  switch (noted) {
    case 'ipAddress':
      return event.sessionContext?.ipAddress ?? ''
    case 'targetResource':
      return targetOf(event)
    case 'targetResourceType':
      return event.targetResourceType ?? ''
  }
}

/**
 * Whether two copies of an id are the same event is decided by what the rules and the alerts read of it; `receivedAt` and
 * `traceparent` differ with every delivery and are left out.
 */
export function contentHash(event: AuditEvent): number {
  const session = event.sessionContext
  let hash = 0
  for (const part of [
    event.timestamp,
    event.action,
    event.status,
    event.outcome,
    event.category,
    event.operation,
    event.dataClassification,
    event.principalId,
    event.targetResourceType,
    event.targetResourceId,
    event.outcomeDescription,
    session?.ipAddress,
    session?.sessionId,
  ]) {
    hash = hash32(part ?? '', hash + 1)
  }
  return hash32(`${event.recordCount ?? ''}/${event.bytes ?? ''}`, hash)
}

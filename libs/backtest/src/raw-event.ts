import type { AuditEvent } from '@tocsin/contracts'
import { type EpochMs, EventTexts, type EventView, parsedEvent, shapeOf, type TextField } from '@tocsin/engine'
import { type EventFields, plainReader } from '@tocsin/sigma'
import { isCanonical } from './canonical.ts'
import { type EventSink, FileClock, type LineReader, NO_ORGANIZATION, timeOf } from './file-event.ts'

/** Events as they are: no mapping, no test of the logsource. */
export const RAW_FORMAT = 'raw'
/** Where producers write the identity of an event, and its time. */
const ID_FIELDS = ['id', 'eventID', 'auditID', 'event_id', 'eventId'] as const
const TIME_FIELDS = ['timestamp', '@timestamp', 'eventTime', 'requestReceivedTimestamp', 'time'] as const
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
type Item = Readonly<Record<string, unknown>>

/** Events as they are: nothing is mapped, nothing is required of them. */
export class RawReader implements LineReader {
  readonly #sink: EventSink
  readonly #clock = new FileClock()

  constructor(sink: EventSink) {
    this.#sink = sink
  }

  take(text: string, line: number): void {
    const item = jsonObject(text)
    if (item === undefined) {
      this.#sink.bad({ line, reason: 'it is no JSON object' })
      return
    }
    const timestamp = TIME_FIELDS.map((field) => item[field]).find((value) => timeOf(value) !== undefined)
    const appendTime = this.#clock.appendTime(item['receivedAt'], timestamp)
    const event = isCanonical(item) ? parsedEvent(item) : new RawEvent(item, timeOf(timestamp) ?? appendTime, line)
    this.#sink.event({ event, appendTime, line })
  }

  end(): void {}
}

/** Whatever lies on a line, where the engine looks for an event. */
class RawEvent extends EventTexts implements EventView {
  readonly id: string
  readonly stamp: EpochMs
  readonly fields: EventFields
  readonly #item: Item

  constructor(item: Item, stamp: EpochMs, line: number) {
    super()
    this.#item = item
    this.id = eventIdOf(item) ?? `line ${line}`
    this.stamp = stamp
    this.fields = plainReader(item)
  }

  get organizationId(): string {
    const value = this.#item['organizationId']
    return typeof value === 'string' && UUID.test(value) ? value.toLowerCase() : NO_ORGANIZATION
  }

  get shape(): number {
    return shapeOf(this.event)
  }

  text(field: TextField): string | undefined {
    const value =
      this.fields(field) ?? (field === 'ipAddress' || field === 'sessionId' ? this.fields(`sessionContext.${field}`) : undefined)
    return typeof value === 'string' ? value : undefined
  }

  number(field: 'recordCount' | 'bytes'): number | undefined {
    const value = this.#item[field]
    return typeof value === 'number' ? value : undefined
  }

  get event(): AuditEvent {
    return this.#item as unknown as AuditEvent
  }
}

/** The identity that the event brings, null where it brings none. */
export function eventIdOf(item: object): string | null {
  for (const field of ID_FIELDS) {
    const value = Object.hasOwn(item, field) ? (item as Item)[field] : undefined
    if (typeof value === 'string' || typeof value === 'number') return String(value)
  }
  return null
}

export function jsonObject(text: string): Item | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Item) : undefined
  } catch {
    return undefined
  }
}

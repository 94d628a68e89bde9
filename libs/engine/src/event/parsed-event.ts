import type { AuditEvent } from '@tocsin/contracts'
import { type EventFields, fieldReader } from '@tocsin/sigma'
import type { EpochMs } from '../time.ts'
import { shapeOf } from './event-shape.ts'
import { EventTexts } from './event-texts.ts'
import type { EventView, TextField } from './event-view.ts'

/** The view of an event that has been parsed and checked against its contract. */
class ParsedEvent extends EventTexts implements EventView {
  readonly event: AuditEvent
  readonly stamp: EpochMs
  readonly shape: number
  #fields: EventFields | null = null

  constructor(event: AuditEvent) {
    super()
    this.event = event
    this.stamp = Date.parse(event.timestamp)
    if (Number.isNaN(this.stamp)) throw new RangeError(`timestamp of event ${event.id} is not a time`)
    this.shape = shapeOf(event)
  }

  get id(): string {
    return this.event.id
  }

  get organizationId(): string {
    return this.event.organizationId
  }

  get fields(): EventFields {
    this.#fields ??= fieldReader(this.event)
    return this.#fields
  }

  text(field: TextField): string | undefined {
    const { event } = this
    switch (field) {
      case 'ipAddress':
        return event.sessionContext?.ipAddress
      case 'sessionId':
        return event.sessionContext?.sessionId
      case 'format':
        return event.source.format
      default:
        return event[field]
    }
  }

  number(field: 'recordCount' | 'bytes'): number | undefined {
    return this.event[field]
  }
}

/** @throws RangeError when the event's timestamp is no time */
export const parsedEvent = (event: AuditEvent): EventView => new ParsedEvent(event)

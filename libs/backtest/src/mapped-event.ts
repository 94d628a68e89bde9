/** Events of a source format, mapped as ingest maps them. */
import { parsedEvent } from '@tocsin/engine'
import { type Format, finish, formatOf, type PreparedItem, prepare, UnreadableBody } from '@tocsin/formats'
import { createYearCounter } from '@tocsin/formats/year-counter'
import { isCanonical } from './canonical.ts'
import { type EventSink, FileClock, type LineReader, NO_ORGANIZATION } from './file-event.ts'
import { jsonObject } from './raw-event.ts'

export interface Mapping {
  /** Undefined: recognized by each line. */
  readonly format: string | undefined
  /** sshd: of stamps that have none. */
  readonly year: number | undefined
  readonly zone: string | undefined
  /** Whose events are that name none; default NO_ORGANIZATION. */
  readonly organizationId?: string
  /** ms since 1970: the latest year that a stamp without one may have. */
  readonly now: number
}

/** As many lines as `tocsin send` puts into a request; lines of one request are read together (sshd). */
const REQUEST_LINES = 500

export class MappedReader implements LineReader {
  readonly #mapping: Mapping
  readonly #format: Format | undefined
  readonly #sink: EventSink
  readonly #clock = new FileClock()
  readonly #yearOf: ((text: string) => number) | undefined
  readonly #nobody: string
  #waiting: { readonly text: string; readonly line: number }[] = []

  constructor(mapping: Mapping, sink: EventSink) {
    this.#mapping = mapping
    this.#format = mapping.format === undefined ? undefined : formatOf(mapping.format)
    this.#sink = sink
    this.#nobody = mapping.organizationId ?? NO_ORGANIZATION
    this.#yearOf = mapping.year === undefined ? undefined : createYearCounter(mapping.year)
  }

  take(text: string, line: number): void {
    if (this.#format?.body === 'lines' || (this.#format === undefined && !/^\s*[{[]/.test(text))) {
      this.#waiting.push({ text, line })
      if (this.#waiting.length >= REQUEST_LINES) this.end()
      return
    }
    this.end()
    const item = jsonObject(text)
    if ((this.#format === undefined || this.#format.name === 'tocsin') && isCanonical(item)) {
      const appendTime = this.#clock.appendTime(item.receivedAt, item.timestamp)
      this.#sink.event({ event: parsedEvent(item), appendTime, line })
      return
    }
    const named = typeof item?.['organizationId'] === 'string' ? item['organizationId'].toLowerCase() : this.#nobody
    this.#prepare({ kind: 'json', text, lines: true }, named, [line], item?.['receivedAt'])
  }

  end(): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    const text = waiting.map((each) => each.text).join('\n')
    this.#prepare(
      { kind: 'text', text },
      this.#nobody,
      waiting.map(({ line }) => line),
    )
  }

  #prepare(
    body: Parameters<typeof prepare>[0]['body'],
    organizationId: string,
    lines: readonly number[],
    receivedAt?: unknown,
  ): void {
    const { zone, now } = this.#mapping
    const year = body.kind === 'text' ? this.#yearOf?.(body.text) : undefined
    const context = { organization: { organizationId, slug: organizationId }, now, year, zone }
    try {
      const items = finish(prepare({ body, format: this.#format, context }))
      for (const [index, item] of items.entries()) this.#hand(item, lines[index] ?? lines[0] ?? 0, receivedAt)
    } catch (error) {
      if (!(error instanceof UnreadableBody)) throw error
      this.#sink.bad({ line: lines[0] ?? 0, reason: error.message })
    }
  }

  #hand(item: PreparedItem, line: number, receivedAt: unknown): void {
    if ('faults' in item) {
      const reason = item.faults.map(({ code, pointer, detail }) => `${code} ${pointer} ${detail}`).join('; ')
      this.#sink.bad({ line, reason })
      return
    }
    for (const { event } of item.events) {
      const appendTime = this.#clock.appendTime(receivedAt, event.timestamp)
      const arrived = { ...event, receivedAt: new Date(appendTime).toISOString() }
      this.#sink.event({ event: parsedEvent(arrived), appendTime, line })
    }
  }
}

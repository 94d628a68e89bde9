import { type EventSink, type LineReader, MappedReader, RAW_FORMAT, RawReader } from '@tocsin/backtest'
import type { Output } from '../../output.ts'
import { readLines } from '../../rules/lines.ts'
import type { Progress } from './progress.ts'

/** How the events of a file are to be read. */
export interface FileOptions {
  /** RAW_FORMAT, or a format of ingest; recognized where undefined. */
  readonly format?: string | undefined
  /** sshd: of stamps that have none. */
  readonly year?: number | undefined
  readonly zone?: string | undefined
  /** ms since 1970. */
  readonly now: number
  readonly output: Output
}

export function readerOf({ format, year, zone, now }: FileOptions, sink: EventSink): LineReader {
  return format === RAW_FORMAT ? new RawReader(sink) : new MappedReader({ format, year, zone, now }, sink)
}

/** Every line but empty ones, which are counted all the same. */
export function readThrough(file: string, progress: Progress, reader: LineReader): void {
  const each = (text: string | undefined, line: number) => {
    if (text === undefined) progress.bad({ line, reason: 'it is too long' })
    else if (text.trim() !== '') reader.take(text, line)
  }
  progress.lines = readLines(file, each, (bytes) => progress.read(bytes))
  reader.end()
}

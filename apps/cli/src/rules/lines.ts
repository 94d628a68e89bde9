import { closeSync, openSync, readSync } from 'node:fs'
import { messageOf, TerminalError } from '@tocsin/errors'

const CHUNK_BYTES = 1_048_576
/** A longer line is no event of any source; it is passed over without being held. */
const MAX_LINE_BYTES = 67_108_864
const NEWLINE = 10
const BYTE_ORDER_MARK = '\uFEFF'

/** One line of a file. `text` is undefined where the line is too long. */
export type TakeLine = (text: string | undefined, line: number) => void

/**
 * Reads a file line by line, synchronously and in large pieces, because nothing else waits for this process. `each` gets every
 * line, counted from 1; `between` runs after each piece with the bytes read so far. Returns the number of lines.
 */
export function readLines(file: string, each: TakeLine, between: (bytes: number) => void): number {
  const fd = open(file)
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  /** Bytes at the front of `buffer` that belong to a line without an end yet. */
  let held = 0
  let isTooLong = false
  let line = 0
  let bytes = 0
  const take = (from: number, to: number) => {
    line++
    const text = isTooLong ? undefined : buffer.toString('utf8', from, to)
    isTooLong = false
    each(line === 1 && text?.startsWith(BYTE_ORDER_MARK) === true ? text.slice(1) : text, line)
  }
  try {
    for (;;) {
      const read = readSync(fd, buffer, held, buffer.length - held, null)
      if (read === 0) break
      bytes += read
      const end = held + read
      let from = 0
      for (let at = buffer.indexOf(NEWLINE, held); at >= 0 && at < end; at = buffer.indexOf(NEWLINE, from)) {
        take(from, at)
        from = at + 1
      }
      buffer.copyWithin(0, from, end)
      held = end - from
      if (held === buffer.length) {
        if (buffer.length < MAX_LINE_BYTES) buffer = Buffer.concat([buffer], buffer.length * 2)
        else {
          isTooLong = true
          held = 0
        }
      }
      between(bytes)
    }
    if (held > 0 || isTooLong) take(0, held)
    return line
  } finally {
    closeSync(fd)
  }
}

function open(file: string): number {
  try {
    return openSync(file, 'r')
  } catch (error) {
    throw new TerminalError(`${file} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

/**
 * Cuts a file of events into requests. The same file is always cut in the same places, so that sending it twice makes the same
 * ids (sshd counts identical lines within a request).
 */
export const MAX_CHUNK_ITEMS = 500
export const MAX_CHUNK_BYTES = 4 * 1_048_576

export interface Chunk {
  readonly text: string
  readonly items: number
  /** Position of the first item in the file, from 1. */
  readonly first: number
}

/** Lines, blank ones left out, as chunks. */
export async function* chunksOfLines(lines: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Chunk> {
  let held: string[] = []
  let bytes = 0
  let sent = 0
  const take = (): Chunk => {
    const chunk = { text: `${held.join('\n')}\n`, items: held.length, first: sent + 1 }
    sent += held.length
    held = []
    bytes = 0
    return chunk
  }
  for await (const line of lines) {
    if (line.trim() === '') continue
    const size = Buffer.byteLength(line) + 1
    if (held.length > 0 && (held.length >= MAX_CHUNK_ITEMS || bytes + size > MAX_CHUNK_BYTES)) yield take()
    held.push(line)
    bytes += size
  }
  if (held.length > 0) yield take()
}

/** The elements of a JSON document that is too large for one request, one a line: an array, or CloudTrail's Records. */
export function elementsOf(document: unknown): string[] | undefined {
  const records = Array.isArray(document) ? document : (document as { Records?: unknown } | null)?.Records
  return Array.isArray(records) ? records.map((record) => JSON.stringify(record)) : undefined
}

/** Whether a file that begins with this line has an event on each line: anything but a JSON document that goes on behind it. */
export function isLineByLine(firstLine: string, onlyLine: boolean): boolean {
  const start = firstLine.trim()
  if (!start.startsWith('{') && !start.startsWith('[')) return true
  if (start.startsWith('[') || onlyLine) return false
  try {
    JSON.parse(start)
    return true
  } catch {
    return false
  }
}

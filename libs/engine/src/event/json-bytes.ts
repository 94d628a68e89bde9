/**
 * Where JSON values end in UTF-8 bytes. Only what JSON.stringify writes is known, so no white space between tokens; what is broken or unknown
 * ends at NONE. No text is looked for at or behind `end`; what else is read there makes no JSON of `end` bytes. What is accepted is JSON for JSON.parse, too, of whatever text the bytes are decoded to: bytes that are not UTF-8 become
 * U+FFFD, which may stand in any text, and never take an ASCII byte with them.
 */

export const NONE = -1
export const QUOTE = 0x22
export const COLON = 0x3a
export const COMMA = 0x2c
export const OPEN = 0x7b
export const CLOSE = 0x7d
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const MINUS = 0x2d
const PLUS = 0x2b
const POINT = 0x2e
const ZERO = 0x30
const FIRST_PRINTED = 0x20
const FIRST_NOT_ASCII = 0x80
/** Deeper values are left to JSON.parse. Ingest takes 64 (events.md §1), and puts the original one deeper. */
const MOST_DEPTH = 80
/** What closes the objects and lists around the value in hand, the innermost last. */
const closers = new Uint8Array(MOST_DEPTH)

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= 0x39
const isHex = (byte: number | undefined): boolean =>
  isDigit(byte) || (byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66)

const QUOTES = 0x22222222
const BACKSLASHES = 0x5c5c5c5c
const ONES = 0x01010101
const SPACES = 0x20202020
const HIGH_BITS = 0x80808080 | 0

/**
 * The closing quote of a text of ASCII without escapes that begins at `at`; NONE where it is another one. Four bytes at a time: the high bit of each
 * that ends the text is set, and what a subtraction borrows comes only from bytes before, so that the first one is right.
 */
export function plainTextEnd(bytes: DataView, at: number, end: number): number {
  let here = at
  for (; here + 4 <= end; here += 4) {
    const four = bytes.getInt32(here, true)
    const quote = four ^ QUOTES
    const backslash = four ^ BACKSLASHES
    const stops = (four | ((quote - ONES) & ~quote) | ((backslash - ONES) & ~backslash) | ((four - SPACES) & ~four)) & HIGH_BITS
    if (stops === 0) continue
    const stop = here + ((31 - Math.clz32(stops & -stops)) >> 3)
    return bytes.getUint8(stop) === QUOTE ? stop : NONE
  }
  for (; here < end; here++) {
    const byte = bytes.getUint8(here)
    if (byte === QUOTE) return here
    if (byte < FIRST_PRINTED || byte === BACKSLASH || byte >= FIRST_NOT_ASCII) return NONE
  }
  return NONE
}

/** The closing quote of any text that begins at `at`. */
export function textEnd(bytes: Uint8Array, at: number, end: number): number {
  let here = at
  while (here < end) {
    const byte = bytes[here] as number
    if (byte === QUOTE) return here
    if (byte < FIRST_PRINTED) return NONE
    if (byte === BACKSLASH) {
      here = escapeEnd(bytes, here + 1)
      if (here === NONE) return NONE
    } else here++
  }
  return NONE
}

function escapeEnd(bytes: Uint8Array, at: number): number {
  switch (bytes[at]) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 1
    case 0x75: // u
      return isHex(bytes[at + 1]) && isHex(bytes[at + 2]) && isHex(bytes[at + 3]) && isHex(bytes[at + 4]) ? at + 5 : NONE
    default:
      return NONE
  }
}

/** The place behind any value that begins at `at`. */
export function valueEnd(bytes: Uint8Array, at: number, end: number): number {
  let depth = 0
  let here = at
  for (;;) {
    const byte = bytes[here]
    if (byte === OPEN || byte === OPEN_LIST) {
      const closer = byte === OPEN ? CLOSE : CLOSE_LIST
      here++
      if (bytes[here] !== closer) {
        if (depth === MOST_DEPTH) return NONE
        closers[depth++] = closer
        if (byte === OPEN) here = keyEnd(bytes, here, end)
        if (here === NONE) return NONE
        continue
      }
      here++
    } else {
      here = scalarEnd(bytes, here, end)
      if (here === NONE) return NONE
    }
    for (;;) {
      if (depth === 0) return here
      const closer = closers[depth - 1]
      const next = bytes[here]
      if (next === COMMA) {
        here = closer === CLOSE ? keyEnd(bytes, here + 1, end) : here + 1
        if (here === NONE) return NONE
        break
      }
      if (next !== closer) return NONE
      depth--
      here++
    }
  }
}

/** The place behind the colon of a key that begins with the quote at `at`. */
function keyEnd(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== QUOTE) return NONE
  const closing = textEnd(bytes, at + 1, end)
  return closing !== NONE && bytes[closing + 1] === COLON ? closing + 2 : NONE
}

function scalarEnd(bytes: Uint8Array, at: number, end: number): number {
  switch (bytes[at]) {
    case QUOTE: {
      const closing = textEnd(bytes, at + 1, end)
      return closing === NONE ? NONE : closing + 1
    }
    case 0x74:
      return wordEnd(bytes, at, 'true')
    case 0x66:
      return wordEnd(bytes, at, 'false')
    case 0x6e:
      return wordEnd(bytes, at, 'null')
    default:
      return numberEnd(bytes, at)
  }
}

export function wordEnd(bytes: Uint8Array, at: number, word: string): number {
  for (let index = 0; index < word.length; index++) if (bytes[at + index] !== word.charCodeAt(index)) return NONE
  return at + word.length
}

/** The place behind the digits that begin at `at`. */
export function digitsEnd(bytes: Uint8Array, at: number): number {
  let here = at
  while (isDigit(bytes[here])) here++
  return here
}

/** The place behind the digits of a whole number, without sign and without needless zeros. */
export function wholeEnd(bytes: Uint8Array, at: number): number {
  const end = digitsEnd(bytes, at)
  return end === at || (bytes[at] === ZERO && end > at + 1) ? NONE : end
}

function numberEnd(bytes: Uint8Array, at: number): number {
  let here = wholeEnd(bytes, bytes[at] === MINUS ? at + 1 : at)
  if (here === NONE) return NONE
  if (bytes[here] === POINT) {
    const end = digitsEnd(bytes, here + 1)
    if (end === here + 1) return NONE
    here = end
  }
  if (((bytes[here] ?? 0) | 0x20) !== 0x65) return here
  const sign = bytes[here + 1]
  const digits = sign === PLUS || sign === MINUS ? here + 2 : here + 1
  const end = digitsEnd(bytes, digits)
  return end === digits ? NONE : end
}

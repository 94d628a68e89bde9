/** Longer texts are seldom the same again. */
const MOST_LENGTH = 64
/** Some megabytes at most, and room for the principals of some hundred organizations. */
const PLACES = 65_536

/**
 * Texts made from ASCII bytes, kept for the next time: the same few principals, addresses and actions come again and again, and making a text
 * costs more than finding it. A text lies in one place only, so the cache never grows; another one of that place takes it.
 */
export class TextCache {
  readonly #texts: string[] = new Array<string>(PLACES).fill('')

  /** The text that lies at `from` to `to` (exclusive). */
  get(bytes: Buffer, from: number, to: number): string {
    const length = to - from
    if (length > MOST_LENGTH) return bytes.toString('latin1', from, to)
    let hash = length
    // Of a long text not every byte: which it is, is compared anyhow.
    const step = 1 + (length >> 4)
    for (let at = from; at < to; at += step) hash = Math.imul(hash ^ (bytes[at] as number), 0x9e3779b1)
    const place = (hash ^ (hash >>> 15)) & (PLACES - 1)
    const known = this.#texts[place] as string
    if (known.length === length && lies(known, bytes, from)) return known
    const text = bytes.toString('latin1', from, to)
    this.#texts[place] = text
    return text
  }
}

function lies(text: string, bytes: Uint8Array, from: number): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) !== bytes[from + index]) return false
  return true
}

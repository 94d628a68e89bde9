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
  /** Of each place's text: bytes are compared with bytes in half the time that they take with a text. */
  readonly #bytes = new Uint8Array(PLACES * MOST_LENGTH)

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
    if (known.length === length && this.#lies(place * MOST_LENGTH - from, bytes, from, to)) return known
    const text = bytes.toString('latin1', from, to)
    this.#texts[place] = text
    for (let at = from; at < to; at++) this.#bytes[place * MOST_LENGTH - from + at] = bytes[at] as number
    return text
  }

  #lies(shift: number, bytes: Uint8Array, from: number, to: number): boolean {
    const known = this.#bytes
    for (let at = from; at < to; at++) if (known[shift + at] !== bytes[at]) return false
    return true
  }
}

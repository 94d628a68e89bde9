const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i
const LENGTH = 36
const WORDS = LENGTH / 4
const PLACES = 4_096

/** UUIDs read from bytes, kept for the next time: every event has its organization's. A text lies in one place only; another one of that place takes it. */
export class UuidCache {
  readonly #texts = new Array<string | null>(PLACES).fill(null)
  readonly #words = new Int32Array(PLACES * WORDS)

  /** The UUID whose 36 characters lie at `at`; null where there is none. */
  get(bytes: DataView, at: number): string | null {
    const words = this.#words
    let mixed = 0
    for (let word = 0; word < WORDS; word++) mixed = Math.imul(mixed ^ bytes.getInt32(at + 4 * word, true), 0x9e3779b1)
    const place = (mixed ^ (mixed >>> 15)) & (PLACES - 1)
    const first = place * WORDS
    const known = this.#texts[place] as string | null
    let isKnown = known !== null
    for (let word = 0; isKnown && word < WORDS; word++) isKnown = words[first + word] === bytes.getInt32(at + 4 * word, true)
    if (isKnown) return known
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, LENGTH).toString('latin1')
    if (!UUID.test(text)) return null
    for (let word = 0; word < WORDS; word++) words[first + word] = bytes.getInt32(at + 4 * word, true)
    this.#texts[place] = text
    return text
  }
}

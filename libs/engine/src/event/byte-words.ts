const encoder = new TextEncoder()
const MOST_TRIES = 10_000
const NONE = -1

/** A closed list of ASCII words, looked up by bytes; `words[i]` is of place i. */
export class ByteWords {
  readonly words: readonly string[]
  readonly #bytes: readonly Uint8Array[]
  /** Place by what `#keyOf` makes of a word: no two words share one. */
  readonly #places: Int8Array
  readonly #factor: number
  /** How far a key is shifted, so that its highest bits are the place. */
  readonly #shift: number

  constructor(words: readonly string[]) {
    this.words = words
    this.#bytes = words.map((word) => encoder.encode(word))
    const bits = Math.ceil(Math.log2(Math.max(2, words.length))) + 2
    this.#shift = 32 - bits
    this.#places = new Int8Array(2 ** bits)
    this.#factor = this.#fill()
  }

  /** The place of the word that lies at `from` to `to` (exclusive), or -1. */
  find(bytes: Uint8Array, from: number, to: number): number {
    if (to <= from) return NONE
    const place = this.#places[keyOf(bytes, from, to, this.#factor) >>> this.#shift] as number
    if (place === NONE) return NONE
    const word = this.#bytes[place] as Uint8Array
    if (word.length !== to - from) return NONE
    for (let index = 0; index < word.length; index++) if (word[index] !== bytes[from + index]) return NONE
    return place
  }

  /** Looks for a factor that tells all words apart. */
  #fill(): number {
    for (let factor = 1; factor < MOST_TRIES; factor += 2) {
      this.#places.fill(NONE)
      const isApart = this.#bytes.every((word, place) => {
        const key = keyOf(word, 0, word.length, factor) >>> this.#shift
        if (this.#places[key] !== NONE) return false
        this.#places[key] = place
        return true
      })
      if (isApart) return factor
    }
    throw new Error(`No key tells these words apart: ${this.words.join(', ')}`)
  }
}

/** Of a word's length and three of its bytes. */
function keyOf(bytes: Uint8Array, from: number, to: number, factor: number): number {
  const length = to - from
  const sample = ((bytes[from] as number) << 16) | ((bytes[from + (length >> 1)] as number) << 8) | (bytes[to - 1] as number)
  return Math.imul(sample ^ (length << 24), factor * 0x9e3779b1)
}

/**
 * A strict JSON reader for hostile input (RFC 8259). Unlike JSON.parse:
 *
 * 1. its stack is bounded: what lies deeper than `maxDepth` is skipped without recursion and reported;
 * 2. `__proto__`, `constructor` and `prototype` as keys, a key given twice, NUL and lone surrogates are faults with a JSON
 *    pointer, and reading goes on behind them, so that one bad item does not spoil its batch;
 * 3. a number beyond 2^53 - 1 becomes the text it was written as.
 *
 * Text that is no JSON throws MalformedJson.
 */
import { Faults, type Path } from './faults.ts'

export type Json = null | boolean | number | string | Json[] | JsonObject
export interface JsonObject {
  [key: string]: Json
}

export class MalformedJson extends Error {
  readonly position: number

  constructor(message: string, position: number) {
    super(message)
    this.position = position
  }
}

const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const QUOTE = 0x22
const BACKSLASH = 0x5c
const FIRST_PRINTABLE = 0x20

export class JsonReader {
  position = 0
  /** Of the value read last. */
  faults = new Faults()
  /** Deepest nesting of the value read last: 1 for an object of plain values. */
  depthSeen = 0
  /** Whether the value read last held a number that is now text (3). */
  sawBigNumber = false
  readonly #text: string
  readonly #maxDepth: number
  readonly #path: (string | number)[] = []

  constructor(text: string, maxDepth: number) {
    this.#text = text
    this.#maxDepth = maxDepth
  }

  /** Reads one value and stands behind it. */
  read(): Json {
    this.faults = new Faults()
    this.depthSeen = 0
    this.sawBigNumber = false
    this.#path.length = 0
    this.skipSpace()
    return this.#value(1)
  }

  skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.position)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.position++
    }
  }

  atEnd(): boolean {
    return this.position >= this.#text.length
  }

  /** Steps over `character` when it is next. */
  take(character: string): boolean {
    if (this.#text[this.position] !== character) return false
    this.position++
    return true
  }

  malformed(wanted: string): MalformedJson {
    const found = this.atEnd() ? 'the end' : JSON.stringify(this.#text[this.position])
    return new MalformedJson(`expected ${wanted} but found ${found} at character ${this.position}`, this.position)
  }

  #value(depth: number): Json {
    switch (this.#text[this.position]) {
      case '{':
        return this.#enter(depth) ? this.#object(depth) : null
      case '[':
        return this.#enter(depth) ? this.#array(depth) : null
      case '"': {
        const text = this.#string()
        this.#checkText(text, this.#path)
        return text
      }
      case 't':
        return this.#word('true', true)
      case 'f':
        return this.#word('false', false)
      case 'n':
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  #enter(depth: number): boolean {
    if (depth > this.depthSeen) this.depthSeen = depth
    if (depth <= this.#maxDepth) return true
    this.faults.add('EXCEEDS_MAX_DEPTH', this.#path, 'nested too deep')
    this.#skipContainer()
    return false
  }

  #object(depth: number): JsonObject {
    const object: JsonObject = {}
    this.position++
    this.skipSpace()
    if (this.take('}')) return object
    for (;;) {
      if (this.#text[this.position] !== '"') throw this.malformed('a key')
      const key = this.#string()
      this.skipSpace()
      if (!this.take(':')) throw this.malformed('":"')
      this.skipSpace()
      this.#path.push(key)
      const value = this.#value(depth + 1)
      if (FORBIDDEN_KEYS.has(key)) this.faults.add('FORBIDDEN_KEY', this.#path, `the key ${key} is not allowed`)
      else if (Object.hasOwn(object, key)) this.faults.add('INVALID_VALUE', this.#path, 'the key is given twice')
      else if (this.#checkText(key, this.#path)) object[key] = value
      this.#path.pop()
      this.skipSpace()
      if (this.take('}')) return object
      if (!this.take(',')) throw this.malformed('"," or "}"')
      this.skipSpace()
    }
  }

  #array(depth: number): Json[] {
    const array: Json[] = []
    this.position++
    this.skipSpace()
    if (this.take(']')) return array
    for (;;) {
      this.#path.push(array.length)
      array.push(this.#value(depth + 1))
      this.#path.pop()
      this.skipSpace()
      if (this.take(']')) return array
      if (!this.take(',')) throw this.malformed('"," or "]"')
      this.skipSpace()
    }
  }

  #string(): string {
    const text = this.#text
    const start = this.position
    let escaped = false
    for (let at = start + 1; ; at++) {
      const code = text.charCodeAt(at)
      if (code === QUOTE) {
        this.position = at + 1
        if (!escaped) return text.slice(start + 1, at)
        break
      }
      if (code === BACKSLASH) {
        escaped = true
        at++
      } else if (code < FIRST_PRINTABLE || Number.isNaN(code)) {
        this.position = Math.min(at, text.length)
        throw this.malformed('the end of a string')
      }
    }
    try {
      return JSON.parse(text.slice(start, this.position)) as string
    } catch {
      throw new MalformedJson(`a string holds an unknown escape, at character ${start}`, start)
    }
  }

  #checkText(text: string, path: Path): boolean {
    if (text.includes('\0')) this.faults.add('INVALID_VALUE', path, 'text must not hold NUL')
    else if (!text.isWellFormed()) this.faults.add('INVALID_VALUE', path, 'text must not hold a lone surrogate')
    else return true
    return false
  }

  #word<T extends Json>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.position)) throw this.malformed('a value')
    this.position += word.length
    return value
  }

  #number(): number | string {
    NUMBER.lastIndex = this.position
    const literal = NUMBER.exec(this.#text)?.[0]
    if (literal === undefined) throw this.malformed('a value')
    this.position += literal.length
    const value = Number(literal)
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
      this.sawBigNumber = true
      return literal
    }
    return value === 0 ? 0 : value
  }

  /** Finds the end of a container without recursion (1); its brackets must match, its commas and words are not looked at. */
  #skipContainer(): void {
    const open: string[] = []
    do {
      const character = this.#text[this.position]
      if (character === undefined) throw this.malformed('the end of a list or object')
      if (character === '"') {
        this.#string()
        continue
      }
      if (character === '{' || character === '[') open.push(character)
      else if (character === '}' || character === ']') {
        if (open.pop() !== (character === '}' ? '{' : '[')) throw this.malformed('a matching bracket')
      }
      this.position++
    } while (open.length > 0)
  }
}

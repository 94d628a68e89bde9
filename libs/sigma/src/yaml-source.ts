import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml'
import { type Position, SigmaError } from './sigma-error.ts'

/** A rule's largest size (contracts: RuleRecord.content). */
const MAX_BYTES = 262_144
/** More than any rule needs; counted after aliases are replaced, so that a few lines cannot grow into millions. */
const MAX_NODES = 50_000
/** Rules use a handful. */
const MAX_ALIASES = 1000
/** Nesting of the YAML; stock rules stay below 8. */
const MAX_DEPTH = 32

export interface YamlScalar {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  /** As written, without quotes. */
  readonly text: string
  readonly offset: number
  /** Where the text begins, if it stands in the source letter by letter from there on. */
  readonly verbatim?: number
}
export interface YamlList {
  readonly kind: 'list'
  readonly items: readonly YamlNode[]
  readonly offset: number
}
export interface YamlEntry {
  readonly key: string
  readonly keyOffset: number
  readonly value: YamlNode
}
export interface YamlMap {
  readonly kind: 'map'
  readonly entries: readonly YamlEntry[]
  readonly offset: number
}
export type YamlNode = YamlScalar | YamlList | YamlMap

export interface YamlDocument {
  readonly root: YamlNode
  /** As it stands in the file, with the `---` before it. */
  readonly text: string
  /** On which it begins. */
  readonly line: number
}

/** The way through one document: what may still come, and the anchors so far. */
interface Walk {
  nodes: number
  aliases: number
  readonly anchors: Map<string, Node>
  /** Within what an alias stands for. */
  isCopy: boolean
}

/** One file's text: turns offsets into positions and refusals. */
export class YamlSource {
  readonly file: string
  /** In order of their finding. */
  readonly faults: SigmaError[] = []
  readonly #lines = new LineCounter()

  constructor(file: string) {
    this.file = file
  }

  at(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }

  refuse(offset: number, message: string): never {
    throw new SigmaError(message, { file: this.file, ...this.at(offset) })
  }

  /** What `run` gives; where it refuses, the fault is kept and others may still be found. */
  attempt<T>(run: () => T): T | undefined {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof SigmaError)) throw error
      this.faults.push(error)
      return undefined
    }
  }

  #text = ''

  /** Every document of the text that is sound YAML, empty ones left out. */
  documents(text: string): YamlDocument[] {
    if (Buffer.byteLength(text) > MAX_BYTES) {
      this.faults.push(new SigmaError(`The text is larger than ${MAX_BYTES} bytes.`, { file: this.file, line: 1, column: 1 }))
      return []
    }
    this.#text = text
    const parsed = parseAllDocuments(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      strict: true,
      // Checked below: the parser's own check takes minutes for a map of 40,000 keys.
      uniqueKeys: false,
      version: '1.2',
    })
    if (!Array.isArray(parsed)) return []
    return parsed.flatMap((document) => {
      const faults = [...document.errors, ...document.warnings]
      for (const { pos, message } of faults)
        this.attempt(() => this.refuse(pos[0], `This is not valid YAML: ${sentence(message)}`))
      const { contents } = document
      if (faults.length > 0 || contents === null || (isScalar(contents) && contents.value === null)) return []
      const root = this.attempt(() =>
        this.#convert(contents as Node, { nodes: MAX_NODES, aliases: MAX_ALIASES, anchors: new Map(), isCopy: false }, 0),
      )
      const [from, to] = document.range
      return root === undefined ? [] : [{ root, text: text.slice(from, to), line: this.at(from).line }]
    })
  }

  #convert(node: Node, walk: Walk, depth: number, offset = node.range?.[0] ?? 0): YamlNode {
    walk.nodes -= 1
    if (walk.nodes < 0) this.refuse(offset, `The document has more than ${MAX_NODES} values once its aliases are replaced.`)
    if (depth > MAX_DEPTH) this.refuse(offset, `The document is nested deeper than ${MAX_DEPTH} levels.`)
    if (isAlias(node)) return this.#alias(node.source, walk, depth, offset)
    // An alias means the last anchor of its name before it.
    if (node.anchor !== undefined && !walk.isCopy) walk.anchors.set(node.anchor, node)
    if (isScalar(node)) return this.#scalar(node.value, node.source, offset)
    if (isSeq(node)) {
      return { kind: 'list', offset, items: node.items.map((item) => this.#convert(item as Node, walk, depth + 1)) }
    }
    if (!isMap(node)) this.refuse(offset, 'This kind of YAML value is not understood.')
    const keys = new Set<string>()
    return {
      kind: 'map',
      offset,
      entries: node.items.map((pair) => {
        const key = pair.key as Node
        const keyOffset = key.range?.[0] ?? offset
        if (!isScalar(key)) this.refuse(keyOffset, 'A key must be plain text.')
        if (key.value === '<<') this.refuse(keyOffset, 'Merge keys (<<) are not part of YAML 1.2: write the values out.')
        const name = typeof key.value === 'string' ? key.value : (key.source ?? '')
        if (keys.has(name)) this.refuse(keyOffset, 'This is not valid YAML: Map keys must be unique.')
        keys.add(name)
        const value = pair.value as Node | null
        return {
          key: name,
          keyOffset,
          value: value === null ? this.#scalar(null, '', keyOffset) : this.#convert(value, walk, depth + 1),
        }
      }),
    }
  }

  #alias(name: string, walk: Walk, depth: number, offset: number): YamlNode {
    walk.aliases -= 1
    if (walk.aliases < 0) this.refuse(offset, `The document uses more than ${MAX_ALIASES} aliases.`)
    const target = walk.anchors.get(name) ?? this.refuse(offset, `The alias *${name} refers to nothing.`)
    const { isCopy } = walk
    walk.isCopy = true
    const copy = this.#convert(target, walk, depth + 1, offset)
    walk.isCopy = isCopy
    return copy
  }

  #scalar(value: unknown, source: string | undefined, offset: number): YamlScalar {
    if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      const text = typeof value === 'string' ? value : (source ?? String(value))
      for (const verbatim of [offset, offset + 1])
        if (this.#text.startsWith(text, verbatim)) return { kind: 'scalar', value, text, offset, verbatim }
      return { kind: 'scalar', value, text, offset }
    }
    return this.refuse(offset, 'This kind of YAML value is not understood.')
  }
}

/** Plain data of a node; every key becomes an own property, `__proto__` included. */
export function plainData(node: YamlNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(plainData)
  return Object.fromEntries(node.entries.map((entry) => [entry.key, plainData(entry.value)]))
}

export const entryOf = (map: YamlMap, key: string): YamlEntry | undefined => map.entries.find((entry) => entry.key === key)

/** Offset of the value or key at a path, or of its nearest existing parent. */
export function offsetOf(root: YamlNode, path: readonly (string | number)[], at: 'key' | 'value'): number {
  let node = root
  let offset = root.offset
  for (const step of path) {
    if (node.kind === 'map') {
      const entry = entryOf(node, String(step))
      if (entry === undefined) return offset
      node = entry.value
      offset = at === 'key' ? entry.keyOffset : node.offset
    } else if (node.kind === 'list') {
      const item = node.items[Number(step)]
      if (item === undefined) return offset
      node = item
      offset = node.offset
    } else return offset
  }
  return offset
}

function sentence(message: string): string {
  if (/call stack|stack overflow/i.test(message)) return 'it is nested too deeply.'
  const [first = ''] = message.split('\n')
  return first.replace(/( at line \d+, column \d+)?:?\.?$/, '.')
}

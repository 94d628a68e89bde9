import type { EventFields } from './field-reader.ts'
import { compileSelection } from './selection.ts'
import { type YamlNode, YamlSource } from './yaml-source.ts'

/** More than any selection needs. */
const MAX_NODES = 10_000
const MAX_DEPTH = 8

/** A selection is refused; `pointer` is the JSON pointer, within the selection, of what is wrong. */
export class SelectionError extends Error {
  readonly code = 'SELECTION_REFUSED'
  readonly pointer: string

  constructor(message: string, pointer: string) {
    super(message)
    this.name = 'SelectionError'
    this.pointer = pointer
  }
}

/** A selection on its own, outside of a rule. */
export interface Selection {
  matches(event: EventFields): boolean
}

/**
 * Compiles a selection that is given as JSON: a map of field|modifiers to values, or a list of such maps.
 * @throws SelectionError
 */
export function compileSelectionData(data: unknown): Selection {
  const source = new DataSource()
  const node = source.node(data, '', 0)
  const items = node.kind === 'list' ? node.items : [node]
  for (const item of items)
    if (item.kind !== 'map') source.refuse(item.offset, 'A map of fields, or a list of such maps, is needed.')
  const { test } = compileSelection(source, node)
  return { matches: test }
}

/** Data in place of a text: an offset is the number of a place. */
class DataSource extends YamlSource {
  readonly #places: string[] = []

  constructor() {
    super('selection')
  }

  override refuse(offset: number, message: string): never {
    throw new SelectionError(message, this.#places[offset] ?? '')
  }

  node(data: unknown, pointer: string, depth: number): YamlNode {
    const offset = this.#places.push(pointer) - 1
    if (offset >= MAX_NODES) this.refuse(offset, `A selection has at most ${MAX_NODES} values.`)
    if (depth > MAX_DEPTH) this.refuse(offset, `A selection is nested at most ${MAX_DEPTH} levels deep.`)
    if (data === null || typeof data === 'string' || typeof data === 'number' || typeof data === 'boolean')
      return { kind: 'scalar', value: data, text: data === null ? '' : String(data), offset }
    if (typeof data !== 'object') return this.refuse(offset, 'This kind of value is not understood.')
    if (Array.isArray(data))
      return { kind: 'list', offset, items: data.map((item, index) => this.node(item, `${pointer}/${index}`, depth + 1)) }
    const entries = Object.entries(data).map(([key, value]) => {
      const below = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
      return { key, keyOffset: this.#places.push(below) - 1, value: this.node(value, below, depth + 1) }
    })
    return { kind: 'map', offset, entries }
  }
}

import { some } from './explanation.ts'
import { compileFieldItem, compileTexts, literals, parseItemKey } from './field-item.ts'
import { ALL_TEXT, type EventFields } from './field-reader.ts'
import { type Modifiers, parseModifiers } from './modifiers.ts'
import { allOf, anyOf, leaf, not, type Predicate, told } from './predicate.ts'
import type { TextTest } from './wildcard.ts'
import type { YamlNode, YamlScalar, YamlSource } from './yaml-source.ts'

/** What stands under one identifier: a map (AND), a list of maps (OR), keywords (OR), or a list of both. */
export function compileSelection(source: YamlSource, node: YamlNode): Predicate {
  if (node.kind === 'scalar') return keywords(source, [node], plainModifiers())
  if (node.kind === 'map') {
    if (node.entries.length === 0) source.refuse(node.offset, 'The selection is empty.')
    return allOf(
      node.entries.map((entry) => {
        const key = parseItemKey(source, entry)
        return key.field === ''
          ? keywords(source, literals(source, entry.value), key.modifiers)
          : compileFieldItem(source, entry, key)
      }),
    )
  }
  if (node.items.length === 0) source.refuse(node.offset, 'The selection is empty.')
  const scalars = node.items.filter((item) => item.kind === 'scalar')
  const others = node.items.filter((item) => item.kind !== 'scalar')
  const parts = others.map((item) =>
    item.kind === 'map'
      ? compileSelection(source, item)
      : source.refuse(item.offset, 'A selection is a map, a list of maps or a list of keywords.'),
  )
  return anyOf(scalars.length > 0 ? [keywords(source, scalars, plainModifiers()), ...parts] : parts)
}

/** Keywords are looked for anywhere in every text of the event. */
function keywords(source: YamlSource, values: readonly YamlScalar[], modifiers: Modifiers): Predicate {
  const [first] = values
  if (modifiers.fieldref || !['equals', 'contains', 're'].includes(modifiers.mode)) {
    source.refuse(first?.offset ?? 0, `Keywords cannot have the modifier "${modifiers.fieldref ? 'fieldref' : modifiers.mode}".`)
  }
  for (const value of values)
    if (value.value === null || value.text === '') source.refuse(value.offset, 'A keyword must not be empty.')
  const tests = compileTexts(source, values, modifiers)
  const raw = modifiers.cased || modifiers.mode === 're'
  const search = (event: EventFields): boolean => {
    const texts = allTexts(event, raw)
    const found = (test: TextTest) => texts.some(test)
    return modifiers.all ? tests.every(found) : tests.some(found)
  }
  const predicate = told(`keywords: ${some(values.map(({ text }) => text))}`, leaf([], search))
  return modifiers.negated ? not(predicate) : predicate
}

function allTexts(event: EventFields, raw: boolean): string[] {
  const texts = event(ALL_TEXT)
  if (!Array.isArray(texts)) return []
  const strings = texts.filter((text) => typeof text === 'string')
  return raw ? strings : strings.map((text) => text.toLowerCase())
}

function plainModifiers(): Modifiers {
  const modifiers = parseModifiers([])
  if (typeof modifiers === 'string') throw new TypeError(modifiers)
  return modifiers
}

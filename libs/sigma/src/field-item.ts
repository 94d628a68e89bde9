import { some } from './explanation.ts'
import type { EventFields } from './field-reader.ts'
import { type ComparisonMode, type Mode, type Modifiers, parseModifiers } from './modifiers.ts'
import { compileNetwork } from './network.ts'
import { type ParsedNumber, parseNumber } from './number-text.ts'
import { allOf, leaf, not, type Predicate, type TextsByField, told } from './predicate.ts'
import { compileExpression } from './regular-expression.ts'
import { anyElement, comparisonTest, equalityTest, networkTest, samePair, textTest, type ValueTest } from './value-test.ts'
import {
  compileWildcard,
  isBounded,
  longestText,
  MAX_SEGMENT,
  opened,
  parseWildcard,
  plainText,
  type TextTest,
  type Wildcard,
} from './wildcard.ts'
import type { YamlEntry, YamlNode, YamlScalar, YamlSource } from './yaml-source.ts'

/** Bounds the ways in which a dotted name can be read (field-reader.ts). */
const MAX_DOTS = 12

const HOLDS: Readonly<Record<ComparisonMode, (difference: number) => boolean>> = {
  lt: (difference) => difference < 0,
  lte: (difference) => difference <= 0,
  gt: (difference) => difference > 0,
  gte: (difference) => difference >= 0,
}

const PAIRS: Readonly<Partial<Record<Mode, (a: string, b: string) => boolean>>> = {
  equals: (a, b) => a === b,
  contains: (a, b) => a.includes(b),
  startswith: (a, b) => a.startsWith(b),
  endswith: (a, b) => a.endsWith(b),
}

/** `field|modifiers: values` of a map. A key without a field (`|all`) searches every text of the event. */
export interface ItemKey {
  readonly field: string
  readonly modifiers: Modifiers
}

export function parseItemKey(source: YamlSource, entry: YamlEntry): ItemKey {
  const [field = '', ...names] = entry.key.split('|')
  const modifiers = parseModifiers(names)
  if (typeof modifiers === 'string') source.refuse(entry.keyOffset, modifiers)
  if (field.split('.').length > MAX_DOTS + 1) source.refuse(entry.keyOffset, `A field's name has at most ${MAX_DOTS} dots.`)
  return { field, modifiers }
}

export function compileFieldItem(source: YamlSource, entry: YamlEntry, key: ItemKey): Predicate {
  const item = compileItem(source, entry, key)
  const text = `${entry.key}: ${some(literals(source, entry.value).map((value) => value.text || JSON.stringify(value.value)))}`
  const { modifiers } = key
  if (modifiers.negated || !(modifiers.cased || modifiers.mode === 're')) return told(text, item)
  const uncased = compileItem(source, entry, { ...key, modifiers: { ...modifiers, cased: false, ignoreCase: true } })
  return told(text, item, (event) => (!item.test(event) && uncased.test(event) ? 'it differs in case only' : ''))
}

function compileItem(source: YamlSource, entry: YamlEntry, { field, modifiers }: ItemKey): Predicate {
  const values = literals(source, entry.value)
  const [only] = values
  if (only !== undefined && values.length === 1 && only.value === null && modifiers.mode === 'equals' && !modifiers.fieldref) {
    const absent = leaf([field], (event) => nullOrAbsent(event(field)))
    return modifiers.negated ? not(absent) : absent
  }
  for (const value of values) {
    if (value.value === null)
      source.refuse(value.offset, 'null stands alone, without modifiers other than neq and not in a list.')
  }
  const parts = modifiers.all
    ? values.map((value) => compileAny(source, field, [value], modifiers))
    : [compileAny(source, field, values, modifiers)]
  const joined = allOf(parts)
  if (!modifiers.negated) return joined
  return allOf([isThere(field), not(joined)])
}

const isNull = anyElement((value) => value === null)
const nullOrAbsent = (value: unknown): boolean => value === undefined || isNull(value)

/** One predicate: any of the values. */
function compileAny(source: YamlSource, field: string, values: readonly YamlScalar[], modifiers: Modifiers): Predicate {
  if (modifiers.fieldref) return fieldReference(source, field, values, modifiers)
  const { mode } = modifiers
  if (mode === 'exists') return exists(source, field, values)
  if (mode === 'equals') return equality(source, field, values, modifiers.cased)
  const test = anyElement(valueTest(source, mode, values, modifiers))
  const contained = containedIn(field, values, modifiers)
  return leaf([field], (event) => test(event(field)), { contained, present: new Set([field]) })
}

/** Texts in the values of contains, startswith and endswith: the longest without a wildcard of each. */
function containedIn(field: string, values: readonly YamlScalar[], { mode, cased }: Modifiers): TextsByField {
  if (cased || (mode !== 'contains' && mode !== 'startswith' && mode !== 'endswith')) return new Map()
  const texts = values.map(({ text }) => longestText(parseWildcard(text)).toLowerCase())
  return texts.includes('') ? new Map() : new Map([[field, new Set(texts)]])
}

function valueTest(
  source: YamlSource,
  mode: Exclude<Mode, 'equals' | 'exists'>,
  values: readonly YamlScalar[],
  modifiers: Modifiers,
): ValueTest {
  switch (mode) {
    case 'contains':
    case 'startswith':
    case 'endswith':
    case 're':
      return textTest(compileTexts(source, values, modifiers), modifiers.cased || mode === 're')
    case 'cidr':
      return networkTest(
        values.map(
          (value) =>
            compileNetwork(value.text) ??
            source.refuse(value.offset, `"${value.text}" is not a network in CIDR notation, such as 10.0.0.0/8.`),
        ),
      )
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte': {
      const tests = values.map((value) => {
        const limit = numberOf(value)
        return limit === undefined
          ? source.refuse(value.offset, `The modifier "${mode}" needs a number, not "${value.text}".`)
          : comparisonTest(HOLDS[mode], limit)
      })
      const [only] = tests
      return tests.length === 1 && only !== undefined ? only : (value) => tests.some((test) => test(value))
    }
  }
}

/** Tests of the text modes, keyword search included: on lower-cased text unless `cased`, on text as it is for `re`. */
export function compileTexts(source: YamlSource, values: readonly YamlScalar[], modifiers: Modifiers): TextTest[] {
  const { mode, cased } = modifiers
  return values.map((value) => {
    if (mode === 're') {
      const compiled = compileExpression(value.text, modifiers)
      return 'test' in compiled ? compiled.test : source.refuse(value.offset, compiled.refused)
    }
    return compileWildcard(opened(wildcardOf(source, value), mode !== 'startswith', mode !== 'endswith'), !cased)
  })
}

function wildcardOf(source: YamlSource, { text, offset }: YamlScalar): Wildcard {
  const wildcard = parseWildcard(text)
  // As `contains` opens it.
  if (isBounded(opened(wildcard, true, true))) return wildcard
  return source.refuse(offset, `A text with several wildcards has at most ${MAX_SEGMENT} characters between two *.`)
}

function equality(source: YamlSource, field: string, values: readonly YamlScalar[], cased: boolean): Predicate {
  const texts = new Set<string>()
  const lowerCased = new Set<string>()
  const numbers: ParsedNumber[] = []
  const wildcards: TextTest[] = []
  for (const value of values) {
    const number = numberOf(value)
    if (number !== undefined) numbers.push(number)
    const wildcard = wildcardOf(source, value)
    const plain = plainText(wildcard)
    if (plain === undefined) wildcards.push(compileWildcard(wildcard, !cased))
    else {
      texts.add(cased ? plain : plain.toLowerCase())
      lowerCased.add(plain.toLowerCase())
    }
  }
  const test = anyElement(equalityTest({ texts, numbers, wildcards, cased }))
  const isExact = numbers.length === 0 && wildcards.length === 0
  const present = new Set([field])
  const needs = isExact ? { exact: new Map([[field, lowerCased]]), present } : { present }
  return leaf([field], (event) => test(event(field)), needs)
}

function fieldReference(source: YamlSource, field: string, values: readonly YamlScalar[], { mode, cased }: Modifiers): Predicate {
  const compare = PAIRS[mode] ?? ((a, b) => a === b)
  const same = samePair(compare, mode === 'equals', cased)
  const others = values.map((value) => {
    if (typeof value.value !== 'string' || value.value === '')
      source.refuse(value.offset, 'The modifier "fieldref" needs the name of a field.')
    return value.value
  })
  const test = (event: EventFields) => {
    const own = event(field)
    return others.some((name) => {
      const other = event(name)
      return anyElement((a) => anyElement((b) => same(a, b))(other))(own)
    })
  }
  return leaf([field, ...others], test)
}

function exists(source: YamlSource, field: string, values: readonly YamlScalar[]): Predicate {
  const [value] = values
  if (value === undefined || values.length > 1 || typeof value.value !== 'boolean') {
    return source.refuse(value?.offset ?? 0, 'The modifier "exists" needs true or false.')
  }
  return value.value ? isThere(field) : not(isThere(field))
}

const isThere = (field: string): Predicate => leaf([field], (event) => event(field) !== undefined, { present: new Set([field]) })

/** `0x1f` and the like are numbers of YAML whose text is no decimal. */
function numberOf(value: YamlScalar): ParsedNumber | undefined {
  if (typeof value.value === 'boolean') return undefined
  return parseNumber(value.text) ?? parseNumber(typeof value.value === 'number' ? value.value : undefined)
}

/** A scalar, or a list of at least one. */
export function literals(source: YamlSource, node: YamlNode): readonly YamlScalar[] {
  if (node.kind === 'scalar') return [node]
  if (node.kind === 'map') source.refuse(node.offset, 'A field takes a value or a list of values, not a map.')
  if (node.items.length === 0) source.refuse(node.offset, 'The list is empty.')
  return node.items.map((item) =>
    item.kind === 'scalar' ? item : source.refuse(item.offset, 'A list of values holds plain values, not lists or maps.'),
  )
}

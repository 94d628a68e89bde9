import { compileCondition } from './condition.ts'
import type { LogSource, SigmaDetection } from './document.ts'
import { onlyKeys, optionalText, parseMetadata } from './metadata.ts'
import { anyOf, leaf, type Predicate } from './predicate.ts'
import { compileSelection } from './selection.ts'
import {
  entryOf,
  plainData,
  type YamlDocument,
  type YamlEntry,
  type YamlMap,
  type YamlNode,
  type YamlScalar,
  type YamlSource,
} from './yaml-source.ts'

/** Conditions of one rule and selections of one rule. */
const MAX_SELECTIONS = 1000
/** Stands for a selection that was refused, so that the condition can still be read. */
const NEVER: Predicate = leaf([], () => false)

/** Faults of one part do not hide those of others. */
export function parseDetection(
  source: YamlSource,
  document: YamlDocument,
  root: YamlMap,
  detection: YamlEntry,
): SigmaDetection | undefined {
  const metadata = source.attempt(() => parseMetadata(source, document, root))
  const logsource = source.attempt(() => parseLogSource(source, root))
  const compiled = source.attempt(() => compileDetection(source, detection))
  if (metadata === undefined || logsource === undefined || compiled === undefined) return undefined
  const { test, fields, exact, contained, present, explain } = compiled
  return {
    kind: 'detection',
    ...metadata,
    logsource,
    matches: test,
    fields: new Set(fields),
    exact,
    contained,
    present,
    explain,
    definition: plainData(detection.value),
  }
}

function parseLogSource(source: YamlSource, root: YamlMap): LogSource {
  const entry = entryOf(root, 'logsource')
  if (entry === undefined) source.refuse(root.offset, 'The rule has no logsource.')
  const map = entry.value
  if (map.kind !== 'map') source.refuse(map.offset, '"logsource" must be a map.')
  onlyKeys(source, map, ['product', 'category', 'service', 'definition'], 'logsource')
  const product = optionalText(source, map, 'product')
  const category = optionalText(source, map, 'category')
  const service = optionalText(source, map, 'service')
  if (product === undefined && category === undefined && service === undefined) {
    source.refuse(entry.keyOffset, '"logsource" needs a product, a category or a service.')
  }
  return {
    ...(product === undefined ? {} : { product }),
    ...(category === undefined ? {} : { category }),
    ...(service === undefined ? {} : { service }),
  }
}

function compileDetection(source: YamlSource, { value: map, keyOffset }: YamlEntry): Predicate | undefined {
  if (map.kind !== 'map') source.refuse(map.offset, '"detection" must be a map of selections and a condition.')
  if (map.entries.length > MAX_SELECTIONS) source.refuse(keyOffset, `A rule has at most ${MAX_SELECTIONS} selections.`)
  const selections = new Map<string, Predicate>()
  const before = source.faults.length
  for (const { key, keyOffset: at, value } of map.entries) {
    if (key === 'condition') continue
    const selection = source.attempt(() =>
      key === 'timeframe'
        ? source.refuse(at, '"timeframe" belongs to pipe aggregations: write a correlation document with a timespan.')
        : compileSelection(source, value),
    )
    selections.set(key, selection ?? NEVER)
  }
  const condition = entryOf(map, 'condition')
  if (condition === undefined) source.refuse(keyOffset, 'The detection has no condition.')
  const any = conditions(source, condition.value).flatMap(
    (text) => source.attempt(() => compileOne(source, text, selections)) ?? [],
  )
  return source.faults.length === before ? anyOf(any) : undefined
}

/** A list of conditions means any of them. */
function conditions(source: YamlSource, node: YamlNode): YamlScalar[] {
  const items = node.kind === 'list' ? node.items : [node]
  if (items.length === 0) source.refuse(node.offset, 'The condition is empty.')
  return items.map((item) =>
    item.kind === 'scalar' && typeof item.value === 'string' ? item : source.refuse(item.offset, 'A condition must be text.'),
  )
}

function compileOne(
  source: YamlSource,
  { text, offset, verbatim }: YamlScalar,
  selections: ReadonlyMap<string, Predicate>,
): Predicate {
  return compileCondition(text, selections, (message, at) =>
    source.refuse(verbatim === undefined ? offset : verbatim + at, message),
  )
}

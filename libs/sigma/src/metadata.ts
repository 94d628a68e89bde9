import { LEVELS, RULE_STATUSES, type SigmaMetadata } from './document.ts'
import { entryOf, offsetOf, plainData, type YamlDocument, type YamlEntry, type YamlMap, type YamlSource } from './yaml-source.ts'

/** Sigma's limit. */
const MAX_TITLE = 256
const MAX_TEXT = 65_536
const MAX_ITEMS = 1000

/** What detections and correlations have in common. Keys that it does not name are the author's own and are left alone. */
export function parseMetadata(source: YamlSource, { text, line }: YamlDocument, root: YamlMap): SigmaMetadata {
  const title = optionalText(source, root, 'title', MAX_TITLE)
  if (title === undefined || title.trim() === '')
    source.refuse(entryOf(root, 'title')?.keyOffset ?? root.offset, 'The document needs a title.')
  const name = optionalText(source, root, 'name', MAX_TITLE)
  const status = oneOf(source, entryOf(root, 'status'), RULE_STATUSES)
  const extension = entryOf(root, 'x-tocsin')
  return {
    file: source.file,
    line,
    text,
    id: optionalText(source, root, 'id', MAX_TITLE) ?? '',
    ...(name === undefined ? {} : { name }),
    title,
    description: optionalText(source, root, 'description', MAX_TEXT)?.trim() ?? '',
    ...(status === undefined ? {} : { status }),
    level: oneOf(source, entryOf(root, 'level'), LEVELS) ?? 'medium',
    tags: texts(source, entryOf(root, 'tags')),
    references: texts(source, entryOf(root, 'references')),
    extension: extension === undefined ? undefined : plainData(extension.value),
    positionOf: (path, at = 'value') => source.at(offsetOf(root, path, at)),
  }
}

export function optionalText(source: YamlSource, map: YamlMap, key: string, maxLength = MAX_TITLE): string | undefined {
  const entry = entryOf(map, key)
  if (entry === undefined) return undefined
  const { value } = entry
  if (value.kind === 'scalar' && value.value === null) return undefined
  if (value.kind !== 'scalar' || typeof value.value === 'boolean') source.refuse(value.offset, `"${key}" must be text.`)
  if (value.text.length > maxLength) source.refuse(value.offset, `"${key}" is longer than ${maxLength} characters.`)
  return value.text
}

/** One text or a list of texts; empty where absent or null. */
export function texts(source: YamlSource, entry: YamlEntry | undefined): string[] {
  if (entry === undefined) return []
  const { key, value } = entry
  if (value.kind === 'scalar') return value.value === null ? [] : [value.text]
  if (value.kind === 'map' || value.items.length > MAX_ITEMS)
    source.refuse(value.offset, `"${key}" must be a list of at most ${MAX_ITEMS} texts.`)
  return value.items.map((item) =>
    item.kind === 'scalar' && item.value !== null ? item.text : source.refuse(item.offset, `"${key}" must be a list of texts.`),
  )
}

export function oneOf<T extends string>(source: YamlSource, entry: YamlEntry | undefined, words: readonly T[]): T | undefined {
  if (entry === undefined) return undefined
  const { key, value } = entry
  const word = value.kind === 'scalar' ? words.find((each) => each === value.text) : undefined
  return word ?? source.refuse(value.offset, `"${key}" must be one of ${words.join(', ')}.`)
}

/** Refuses, by name, the keys of a map that are not listed. */
export function onlyKeys(source: YamlSource, map: YamlMap, known: readonly string[], where: string): void {
  for (const { key, keyOffset } of map.entries) {
    if (!known.includes(key)) source.refuse(keyOffset, `"${key}" is not known under "${where}".`)
  }
}

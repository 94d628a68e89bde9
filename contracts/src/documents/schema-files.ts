import * as contracts from '../index.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

const isNamed = (value: unknown): value is { readonly $id: string } =>
  typeof value === 'object' && value !== null && typeof (value as { $id?: unknown }).$id === 'string'

/** Every schema of the contracts that has a name. */
export const NAMED: ReadonlyMap<string, object> = new Map(
  (Object.values(contracts) as unknown[])
    .filter(isNamed)
    .map((schema): [string, object] => [schema.$id, schema])
    .sort(([a], [b]) => (a < b ? -1 : 1)),
)

/** The schema as JSON, with named schemas inside it replaced by a reference made by `refOf`. */
export function withReferences(schema: object, refOf: (name: string) => string): Json {
  const walk = (value: Json, isRoot: boolean): Json => {
    if (Array.isArray(value)) return value.map((item: Json) => walk(item, false))
    if (value === null || typeof value !== 'object') return value
    const { $id, ...rest } = value as { readonly [key: string]: Json }
    if (!isRoot && typeof $id === 'string' && NAMED.has($id)) return { $ref: refOf($id) }
    return Object.fromEntries(Object.entries(rest).map(([key, child]) => [key, walk(child, false)]))
  }
  return walk(JSON.parse(JSON.stringify(schema)) as Json, true)
}

/** File name → text, one JSON Schema 2020-12 file for each named schema. */
export function jsonSchemas(): [string, string][] {
  return [...NAMED].map(([name, schema]) => {
    const body = withReferences(schema, (other) => `${other}.json`) as { readonly [key: string]: Json }
    const document = { $schema: 'https://json-schema.org/draft/2020-12/schema', $id: `${name}.json`, title: name, ...body }
    return [`schemas/${name}.json`, `${JSON.stringify(document, null, 2)}\n`]
  })
}

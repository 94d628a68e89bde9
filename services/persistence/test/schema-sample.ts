import { Value } from 'typebox/value'

interface Schema {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minItems?: number
  readonly minLength?: number
  readonly minimum?: number
  readonly format?: string
  readonly pattern?: string
}

const TEXT_BY_FORMAT: Readonly<Record<string, () => string>> = {
  uuid: () => crypto.randomUUID(),
  'date-time': () => '2030-01-01T00:00:00.000Z',
  date: () => '2030-01-01',
}

/** The least value that fits a schema: required properties only, and those named in `given` wherever the schema has them. */
export function sampleOf(schema: object, given: Readonly<Record<string, unknown>> = {}): unknown {
  const walk = (part: Schema): unknown => {
    if (part.const !== undefined) return part.const
    if (part.enum !== undefined) return part.enum[0]
    if (part.anyOf !== undefined) return walk(part.anyOf[0] ?? {})
    switch (part.type) {
      case 'object':
        return Object.fromEntries(
          Object.entries(part.properties ?? {}).flatMap(([name, inner]) =>
            name in given ? [[name, given[name]]] : part.required?.includes(name) === true ? [[name, walk(inner)]] : [],
          ),
        )
      case 'array':
        return Array.from({ length: part.minItems ?? 0 }, () => walk(part.items ?? {}))
      case 'integer':
      case 'number':
        return part.minimum ?? 1
      case 'boolean':
        return false
      case 'null':
        return null
      default:
        return TEXT_BY_FORMAT[part.format ?? '']?.() ?? 'x'.repeat(Math.max(1, part.minLength ?? 1))
    }
  }
  const value = walk(schema as Schema)
  if (!Value.Check(schema as Parameters<typeof Value.Check>[0], value))
    throw new Error(`no sample of ${JSON.stringify(schema).slice(0, 200)}: ${JSON.stringify(value)}`)
  return value
}

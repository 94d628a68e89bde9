import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

/** The part of a value that its schema lists; null: there is nothing in it that could be left out. */
export type Projection = ((value: unknown) => unknown) | null

/** What is read of a schema, as JSON Schema writes it. */
interface Shape {
  readonly type?: string
  readonly properties?: Readonly<Record<string, TSchema>>
  readonly patternProperties?: Readonly<Record<string, TSchema>>
  readonly additionalProperties?: unknown
  readonly items?: TSchema
  readonly anyOf?: readonly TSchema[]
}

/** Keywords by which a schema could list more than is looked at here. */
const NOT_READ = ['allOf', 'oneOf', 'not', '$ref', 'prefixItems', 'unevaluatedProperties'] as const

/**
 * Made once for a schema, because typebox's Clean walks it anew for each value (for a page of 50 alerts 8 ms against less than 1). Throws TypeError for
 * a schema that it does not understand. Values that are not of the schema's type pass as they are: a serializer is no check.
 */
export function projectionOf(schema: TSchema): Projection {
  const unread = NOT_READ.find((keyword) => keyword in schema)
  if (unread !== undefined) throw new TypeError(`a schema with ${unread} cannot be projected`)
  const { type, properties, patternProperties, additionalProperties, items, anyOf } = schema as Shape
  if (anyOf !== undefined) return ofUnion(anyOf)
  if (type === 'array' && items !== undefined) return ofArray(items)
  if (typeof additionalProperties === 'object')
    throw new TypeError('an object whose further names have a schema cannot be projected')
  if (properties !== undefined) return ofObject(properties, additionalProperties === true)
  if (patternProperties !== undefined) return ofRecord(patternProperties)
  return null
}

/** `isOpen`: names that are not listed pass. */
function ofObject(properties: Readonly<Record<string, TSchema>>, isOpen: boolean): Projection {
  const known = Object.entries(properties).map(([key, schema]) => ({ key, project: projectionOf(schema) }))
  return (value) => {
    if (!isObject(value)) return value
    const kept: Record<string, unknown> = isOpen ? { ...value } : {}
    for (const { key, project } of known)
      if (Object.hasOwn(value, key)) kept[key] = project === null ? value[key] : project(value[key])
    return kept
  }
}

/** Any name: what a record is made of is not listed. */
function ofRecord(patternProperties: Readonly<Record<string, TSchema>>): Projection {
  const [project = null, ...others] = Object.values(patternProperties).map(projectionOf)
  if (others.length > 0) throw new TypeError('a record with several patterns cannot be projected')
  if (project === null) return null
  return (value) =>
    isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, project(each)])) : value
}

function ofArray(items: TSchema): Projection {
  const project = projectionOf(items)
  return project === null ? null : (value) => (Array.isArray(value) ? value.map(project) : value)
}

/** As the first of them that fits. */
function ofUnion(anyOf: readonly TSchema[]): Projection {
  const members = anyOf.map((schema) => ({ project: projectionOf(schema), check: Compile(schema) }))
  if (members.every(({ project }) => project === null)) return null
  return (value) => {
    for (const { project, check } of members) {
      const kept = project === null ? value : project(value)
      if (check.Check(kept)) return kept
    }
    return value
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

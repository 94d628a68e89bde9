import type { Type } from 'typebox'
import { Value } from 'typebox/value'
import { type ApiOperation, OPERATIONS_TABLE } from '../index.ts'
import { NAMED, withReferences } from './schema-files.ts'

const inComponents = (name: string) => `#/components/schemas/${name}`
const schemaOf = (schema: object) =>
  '$id' in schema && NAMED.has(String(schema.$id))
    ? { $ref: inComponents(String(schema.$id)) }
    : withReferences(schema, inComponents)

const SUCCESS: Readonly<Record<string, string>> = {
  '200': 'Done',
  '201': 'Created',
  '202': 'Accepted by the broker',
  '422': 'No item was accepted',
}

function parameters(part: object | undefined, place: 'path' | 'query' | 'header') {
  if (part === undefined) return []
  const { properties, required = [] } = part as { properties: Record<string, object>; required?: string[] }
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: withReferences(schema, inComponents),
  }))
}

const bodyOf = (schema: Type.TSchema) => ({
  required: !Value.Check(schema, null),
  content: { 'application/json': { schema: schemaOf(schema) } },
})

/** JSON, unless the schema is of a text in another format. */
const mediaTypeOf = (body: object): string =>
  'contentMediaType' in body && typeof body.contentMediaType === 'string' ? body.contentMediaType : 'application/json'

/** What an address is about: `/api/alerts/:id` → alerts. */
const subjectOf = (url: string): string => url.split('/')[2] ?? ''

function operation(id: string, { url, summary, schema }: ApiOperation) {
  const responses = Object.entries(schema.response).map(([status, body]) => {
    const isProblem = status.endsWith('xx')
    return [
      status.toUpperCase(),
      {
        description: isProblem ? 'What went wrong, as RFC 9457' : (SUCCESS[status] ?? 'Answer'),
        content: { [isProblem ? 'application/problem+json' : mediaTypeOf(body)]: { schema: schemaOf(body) } },
      },
    ]
  })
  return {
    operationId: id,
    summary,
    tags: [subjectOf(url)],
    parameters: [
      ...parameters(schema.params, 'path'),
      ...parameters(schema.querystring, 'query'),
      ...parameters(schema.headers, 'header'),
    ],
    ...(schema.body === undefined ? {} : { requestBody: bodyOf(schema.body) }),
    ...(id === 'postEvents' ? { requestBody: EVENTS_BODY } : {}),
    responses: Object.fromEntries(responses),
  }
}

/** The body of ingest has many shapes (events.md §2); the canonical one is given, the others are named. */
const EVENTS_BODY = {
  required: true,
  description: 'gzip is accepted; at most 10,000 items or 32 MiB, an item at most 1 MiB',
  content: {
    'application/json': { schema: { description: 'One event or an array, in the format given or recognized' } },
    'application/x-ndjson': { schema: { type: 'string', description: 'One event a line' } },
    'text/plain': { schema: { type: 'string', description: 'sshd lines' } },
    'application/cloudevents+json': { schema: { type: 'object' } },
    'application/cloudevents-batch+json': { schema: { type: 'array', items: { type: 'object' } } },
  },
}

/** OpenAPI 3.1 of everything behind the front door. */
export function openApi(): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const [id, row] of Object.entries(OPERATIONS_TABLE) as [string, ApiOperation][]) {
    const path = row.url.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [row.method.toLowerCase()]: operation(id, row) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Tocsin', version: '0.1.0', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'A token for /api, an ingest key for /v1' } },
      schemas: Object.fromEntries([...NAMED].map(([name, schema]) => [name, withReferences(schema, inComponents)])),
    },
  }
}

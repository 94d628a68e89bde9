import { stringify } from 'yaml'
import { NAMED, withReferences } from '../src/documents/schema-files.ts'
import {
  ALL_TOPICS,
  ERASED_RECORD_TYPE,
  EVENT_RECORD_TYPES,
  FIGURE_RECORD_TYPES,
  HEADERS,
  STATUS_RECORD_TYPES,
  TOPICS,
} from '../src/index.ts'

const inComponents = (name: string) => `#/components/schemas/${name}`

/** Record type (header `tocsin-type`) → schema of the value, for each topic that carries records of ours. */
const RECORDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [TOPICS.auditEvents.name]: Object.fromEntries(
    EVENT_RECORD_TYPES.map((type) => [type, { event: 'AuditEvent', tick: 'Tick', control: 'ControlRecord' }[type]]),
  ),
  [TOPICS.alerts.name]: Object.fromEntries([
    ...FIGURE_RECORD_TYPES.map((type) => [type, 'AlertFigures']),
    ...STATUS_RECORD_TYPES.map((type) => [type, 'AlertStatusChange']),
    [ERASED_RECORD_TYPE, 'AlertErased'],
  ]),
  [TOPICS.rules.name]: { rule: 'RuleRecord' },
  [TOPICS.tenants.name]: { organization: 'TenantRecord' },
  [TOPICS.access.name]: { access: 'AccessRecord' },
  [TOPICS.exceptionHits.name]: { hits: 'ExceptionHits' },
  [TOPICS.historyHeads.name]: { head: 'HistoryHead' },
}

/** Who may write where (security.md §2). */
const WRITERS: Readonly<Record<string, readonly string[]>> = {
  [TOPICS.auditIntake.name]: ['producers'],
  [TOPICS.auditEvents.name]: ['ingest', 'persistence'],
  [TOPICS.alerts.name]: ['detector', 'persistence', 'monitor'],
  [TOPICS.rules.name]: ['persistence'],
  [TOPICS.tenants.name]: ['persistence'],
  [TOPICS.access.name]: ['persistence'],
  [TOPICS.exceptionHits.name]: ['detector'],
  [TOPICS.historyHeads.name]: ['persistence'],
  [TOPICS.detectorSnapshots.name]: ['detector'],
}

const keyOf = (topic: string) => topic.replace(/\W(\w)/g, (_, letter: string) => letter.toUpperCase())

/** AsyncAPI 3 of the topics: settings, keys, writers, and the records they carry. */
export function asyncApi(): string {
  const channels = Object.fromEntries(
    ALL_TOPICS.map((topic) => {
      const records = Object.entries(RECORDS[topic.name] ?? {})
      return [
        keyOf(topic.name),
        {
          address: topic.name,
          description: `Key: ${topic.key}. Writers: ${(WRITERS[topic.name] ?? ['its consumers']).join(', ')}.`,
          bindings: {
            kafka: {
              ...(topic.partitions === 'shared' ? {} : { partitions: topic.partitions }),
              topicConfiguration: topic.config,
            },
          },
          messages: Object.fromEntries(
            records.map(([type, schema]) => [
              type,
              {
                name: type,
                contentType: 'application/json',
                headers: {
                  type: 'object',
                  properties: {
                    [HEADERS.type]: { const: type },
                    [HEADERS.schema]: { type: 'string' },
                    [HEADERS.contentType]: { const: 'application/json' },
                    [HEADERS.traceparent]: { type: 'string' },
                  },
                },
                payload: { $ref: inComponents(schema) },
              },
            ]),
          ),
        },
      ]
    }),
  )
  const used = new Set(Object.values(RECORDS).flatMap((records) => Object.values(records)))
  return stringify(
    {
      asyncapi: '3.0.0',
      info: { title: 'Tocsin topics', version: '0.1.0', license: { name: 'Apache-2.0' } },
      defaultContentType: 'application/json',
      channels,
      components: {
        schemas: Object.fromEntries(
          [...NAMED].filter(([name]) => used.has(name)).map(([name, schema]) => [name, withReferences(schema, inComponents)]),
        ),
      },
    },
    { aliasDuplicateObjects: false, lineWidth: 0 },
  )
}

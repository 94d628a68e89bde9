import { OPERATIONS_TABLE } from '@tocsin/contracts'
import { type TSchema, Type } from 'typebox'
import { Value } from 'typebox/value'
import { expect, test } from 'vitest'
import { projectionOf } from './projection.ts'

const Person = Type.Object({ name: Type.String(), place: Type.Optional(Type.Object({ city: Type.String() })) })

test.each([
  ['an object', Person, { name: 'ada', secret: 1, place: { city: 'x', secret: 1 } }],
  ['what is absent', Person, { name: 'ada' }],
  ['an array', Type.Object({ items: Type.Array(Person) }), { items: [{ name: 'ada', secret: 1 }], secret: 1 }],
  ['null or an object', Type.Union([Person, Type.Null()]), null],
  ['an object or null', Type.Union([Person, Type.Null()]), { name: 'ada', secret: 1 }],
  [
    'one of several objects',
    Type.Union([
      Type.Object({ kind: Type.Literal('a'), a: Type.Number() }),
      Type.Object({ kind: Type.Literal('b'), b: Type.Number() }),
    ]),
    { kind: 'b', b: 1, a: 2 },
  ],
  ['a record of objects', Type.Record(Type.String(), Person), { any: { name: 'ada', secret: 1 } }],
  ['a record of anything', Type.Object({ metadata: Type.Record(Type.String(), Type.Unknown()) }), { metadata: { a: { b: 1 } } }],
  ['an open object', Type.Object({ a: Type.Number() }, { additionalProperties: true }), { a: 1, b: 2 }],
  [
    'an object in an open one',
    Type.Object({ a: Person }, { additionalProperties: true }),
    { a: { name: 'ada', secret: 1 }, b: 2 },
  ],
  ['another type than the schema says', Person, 'text'],
] as const)('of %s leaves what typebox leaves, and the value as it was', (_what, schema: TSchema, value: unknown) => {
  const before = structuredClone(value)
  const project = projectionOf(schema) ?? ((all: unknown) => all)
  expect(project(value)).toEqual(Value.Clean(schema, structuredClone(value)))
  expect(value).toEqual(before)
})

test('a schema that could list more than is read is refused', () => {
  expect(() => projectionOf(Type.Object({ both: Type.Intersect([Person, Person]) }))).toThrow(/allOf/)
})

test('names with a schema of their own are refused', () => {
  expect(() => projectionOf(Type.Object({ a: Type.String() }, { additionalProperties: Person }))).toThrow(/further names/)
})

test('every answer of the API can be projected', () => {
  const answers = Object.values(OPERATIONS_TABLE).flatMap(({ schema }) => Object.values(schema.response) as TSchema[])
  expect(answers.length).toBeGreaterThan(100)
  for (const schema of answers) expect(() => projectionOf(schema)).not.toThrow()
})

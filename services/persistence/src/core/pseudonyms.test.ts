import { expect, test } from 'vitest'
import { candidatesOf, pseudonymised, pseudonymisedText } from './pseudonyms.ts'

const erase = (text: string, person: string) => pseudonymisedText(text, new Map([[person, 'P']]))

test.each([
  ['of ada', 'of P'],
  ['ADA, "ada", (ada); user=ada. ada’s', 'ADA, "P", (P); user=P. P’s'],
  ['ada', 'P'],
  ['Canada, ada@example.org, corp/ada, ada-2, role:ada', 'Canada, ada@example.org, corp/ada, ada-2, role:ada'],
  ['ada ada', 'P P'],
])('in %j a person is replaced where the name stands by itself', (text, expected) => {
  expect(erase(text, 'ada')).toBe(expected)
})

test('a name is no pattern, and a pseudonym no template', () => {
  expect([erase('a.b*c, axbc', 'a.b*c'), pseudonymisedText('x', new Map([['x', '$&']]))]).toEqual(['P, axbc', '$&'])
})

test('the alert that another was merged into is left alone, and so are times and places in the log', () => {
  const id = '0b0e7a3c-0000-4000-8000-000000000001'
  const evidence = [
    { id: '01', t: '2026-01-01T00:00:00.000Z', action: '01', outcome: 'failure', topic: '01', partition: 1, offset: '01' },
  ]
  const alert = { metadata: { mergedInto: id, who: id, '01': 1 }, evidence, createdAt: '01' }
  expect(
    pseudonymised(
      alert,
      new Map([
        [id, 'P'],
        ['01', 'Q'],
      ]),
    ),
  ).toEqual({
    metadata: { mergedInto: id, who: 'P', Q: 1 },
    evidence: [{ ...evidence[0], id: 'Q' }],
    createdAt: '01',
  })
})

test.each(['ada', 'ada@example.org', 'corp\\ada', '10.0.0.1', 'svc:deploy'])(
  'wherever %j would be replaced in a text, it is asked for',
  (person) => {
    for (const text of [person, `of ${person}.`, `(${person})`, `user=${person},`, `-${person}-`]) {
      expect(erase(text, person)).not.toBe(text)
      expect(candidatesOf({ title: text })).toContain(person)
      expect(candidatesOf({ metadata: { deep: [{ [text]: 1 }] } })).toContain(person)
    }
  },
)

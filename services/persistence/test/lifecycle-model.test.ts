/**
 * The life of an alert against a plain model: random people act at once, through two connections, on the real database.
 *
 * 1. Versions have no hole, and what the history holds is what was accepted, in that order.
 * 2. In the order of versions every accepted act is one that the model allows, and leads where the model says.
 * 3. Whoever was refused was refused by a state that the alert had meanwhile; whoever was overtaken had not the last version.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorld, type World } from './world.ts'

const LIMIT_MS = 120_000
const PEOPLE = ['ada', 'eve', 'bob'] as const
const tokens = new Map<string, string>()
let world: World
let organizationId: string
beforeAll(async () => {
  world = await createWorld({ apiConnections: 2 })
  organizationId = (await world.newOrganization('Acme')).organizationId
  for (const who of PEOPLE) tokens.set(who, await world.addMember(who, organizationId, 'responder'))
})
afterAll(() => world.close())

/** The model: where each act leads; what is not here is refused. */
const WAYS: Readonly<Record<string, string>> = {
  'active acknowledge': 'acknowledged',
  'active resolve': 'resolved',
  'active dismiss': 'dismissed',
  'acknowledged unacknowledge': 'active',
  'acknowledged resolve': 'resolved',
  'acknowledged dismiss': 'dismissed',
  'resolved reopen': 'active',
  'dismissed reopen': 'active',
}
const after = (status: string, name: string): string | undefined => (name === 'comments' ? status : WAYS[`${status} ${name}`])

const BODIES = {
  acknowledge: undefined,
  unacknowledge: undefined,
  resolve: { notes: 'n' },
  dismiss: { reason: 'benign' },
  reopen: undefined,
  comments: { comment: 'c' },
} as const
type Name = keyof typeof BODIES

interface Act {
  readonly who: (typeof PEOPLE)[number]
  readonly name: Name
  /** Whether it is sent with the version last seen by all. */
  readonly guarded: boolean
}
const anAct: fc.Arbitrary<Act> = fc.record({
  who: fc.constantFrom(...PEOPLE),
  name: fc.constantFrom(...(Object.keys(BODIES) as Name[])),
  guarded: fc.boolean(),
})
/** Acts of one round are sent at the same moment. */
const rounds = fc.array(fc.array(anAct, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 6 })

const send = async (id: string, { who, name, guarded }: Act, seen: number) => ({
  who,
  name,
  guarded,
  answer: await world.ask(
    'POST',
    `/api/alerts/${id}/${name}`,
    tokens.get(who) ?? '',
    BODIES[name],
    guarded ? { 'if-match': `"${seen}"` } : {},
  ),
})

test(
  'of people who act at once one wins, the others are told, and history, versions and states are those of a plain model',
  () =>
    fc.assert(
      fc.asyncProperty(rounds, async (all) => {
        const { id } = await world.addAlert(organizationId)
        let status = 'active'
        let version = 0
        const accepted: [actor: string, name: Name][] = []
        for (const round of all) {
          const seen = version
          const outcomes = await Promise.all(round.map((act) => send(id, act, seen)))
          const done = outcomes
            .filter(({ answer }) => answer.status === 200)
            .toSorted((one, other) => one.answer.body.version - other.answer.body.version)
          const states = [status]
          for (const { who, name, answer } of done) {
            version += 1
            expect(answer.body.version).toBe(version) // 1
            expect(after(status, name)).toBe(answer.body.status) // 2
            status = answer.body.status
            states.push(status)
            accepted.push([who, name])
          }
          for (const { name, guarded, answer } of outcomes) {
            if (answer.status === 200) continue
            expect(states).toContain(answer.body.present) // 3
            if (answer.status === 409) expect(after(answer.body.present, name)).toBeUndefined()
            else expect([answer.status, guarded, answer.body.version > seen]).toEqual([412, true, true])
          }
          // With the version that all have seen, the first is never overtaken.
          if (outcomes.some(({ guarded, name }) => guarded && after(states[0] ?? '', name) !== undefined))
            expect(done.length).toBeGreaterThan(0)
        }
        const history = await world.admin('SELECT actor, version FROM history WHERE about_id = $1 ORDER BY version', [id])
        expect(history).toEqual(accepted.map(([actor], at) => ({ actor, version: at + 1 }))) // 1
        const records = await world.admin<{ value: string }>(`SELECT value FROM outbox WHERE value LIKE $1 ORDER BY id`, [
          `%${id}%`,
        ])
        expect(records.map(({ value }) => JSON.parse(value).version)).toEqual(accepted.map((_, at) => at + 1))
      }),
      { numRuns: 30 },
    ),
  LIMIT_MS,
)

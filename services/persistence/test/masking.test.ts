import { generateKey, hashKey } from '@tocsin/access'
import { OPERATIONS_TABLE } from '@tocsin/contracts'
import { waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createWorld, figuresOf, type World } from './world.ts'

/** Stands in everything of an alert that a role without sensitive:read may not read. */
const CANARY = 'canary9c1f'
const READERS = ['viewer', 'key'] as const

const READS = Object.entries<(typeof OPERATIONS_TABLE)[keyof typeof OPERATIONS_TABLE]>(OPERATIONS_TABLE).filter(
  ([, { method, service }]) => method === 'GET' && service === 'persistence',
)

let world: World
let organizationId: string
let ids: Readonly<Record<string, string>>
const tokens: Record<string, string> = {}

beforeAll(async () => {
  world = await createWorld()
  const created = await world.newOrganization('Masked')
  organizationId = created.organizationId
  const [alert] = [
    await world.addAlert(organizationId, {
      title: `Failed sign-ins of ${CANARY}`,
      description: `5 failed sign-ins of ${CANARY}.`,
      group: { principalId: CANARY },
      metadata: { who: CANARY },
      correlationId: CANARY,
      evidence: figuresOf(organizationId).evidence.map((each) => ({
        ...each,
        id: CANARY,
        subject: CANARY,
        target: CANARY,
        ip: CANARY,
      })),
    }),
    // One more, so that what a filter finds can be told from what there is.
    await world.addAlert(organizationId),
  ]
  const { status } = await world.ask('POST', `/api/alerts/${alert.id}/resolve`, created.token, { notes: CANARY })
  expect(status).toBe(200)
  expect(JSON.stringify((await world.ask('GET', `/api/alerts/${alert.id}`, created.token)).body)).toContain(CANARY)
  const content = 'title: Of nobody\nlogsource: { product: tocsin }\ndetection: { s: { action: x }, condition: s }\n'
  await world.ask('PUT', '/api/rules/masked', created.token, { content, reason: 'a test' })
  const events = JSON.stringify({ action: 'x', status: 'success', principalId: CANARY, timestamp: new Date().toISOString() })
  const { body: backtest } = await world.ask('POST', '/api/rules/backtest', created.token, { content, events })
  const shown = async () => JSON.stringify((await world.ask('GET', `/api/rules/backtests/${backtest.id}`, created.token)).body)
  await waitFor(async () => (await shown()).includes(CANARY), { limitMs: 60_000, what: 'the end of a backtest' })
  const { body: erasure } = await world.ask('POST', '/api/erasures', created.token, { subject: 'somebody', reason: CANARY })
  ids = {
    alerts: alert.id,
    organizations: organizationId,
    rules: 'masked',
    'rules/backtests': backtest.id,
    erasures: erasure.id,
  }
  tokens['viewer'] = await world.addMember('vic@example.org', organizationId, 'viewer')
  const recipients = { emails: [`${CANARY}@example.org`], slackChannels: [`#${CANARY}`], phoneNumbers: ['+15550100777'] }
  const changed = await world.ask('PATCH', `/api/organizations/${organizationId}`, created.token, { recipients })
  expect([changed.status, JSON.stringify(changed.body)]).toEqual([200, expect.stringContaining('+15550100777')])
  tokens['key'] = generateKey()
  await world.admin('INSERT INTO api_keys (id, organization_id, hash, scopes) VALUES ($1, $2, $3, $4)', [
    crypto.randomUUID(),
    organizationId,
    hashKey(tokens['key']),
    ['read'],
  ])
})
afterAll(() => world.close())

/** `:id` of the alerts' operations is the alert, and so on; a new resource needs a row in `ids`. */
const addressOf = (url: string) =>
  url.replace(':version', '1').replace(/\/api\/([a-z-]+(?:\/[a-z-]+)?)\/:\w+/, (_, resource: string) => {
    if (ids[resource] === undefined) throw new Error(`name in \`ids\` what stands for the id of ${resource}`)
    return `/api/${resource}/${ids[resource]}`
  })
const read = async (url: string, reader: string) => {
  const answer = await world.api.inject({ method: 'GET', url, headers: { authorization: `Bearer ${tokens[reader]}` } })
  return { status: answer.statusCode, text: answer.body }
}

describe.each(READERS)('asked by a %s', (reader) => {
  test.each(READS.map(([name, { url }]) => [name, url]))('%s tells nothing that may not be read', async (_, url) => {
    const { status, text } = await read(`${addressOf(url)}${url.endsWith('/diff') ? '?from=1&to=1' : ''}`, reader)
    expect([200, 403]).toContain(status)
    expect(text).not.toContain(CANARY)
    expect(text).not.toContain('+15550100777')
  })

  test('no free text of a query finds out what may not be read', async () => {
    for (const [name, { url, schema }] of READS) {
      const properties = 'querystring' in schema ? schema.querystring.properties : {}
      for (const [field, property] of Object.entries<{ type?: string; format?: string; enum?: unknown }>(properties)) {
        if (property.type !== 'string' || property.format !== undefined || property.enum !== undefined) continue
        const answers = await Promise.all([CANARY, 'nobody'].map((value) => read(`${addressOf(url)}?${field}=${value}`, reader)))
        const [found, missed] = answers.map(({ status, text }) => [
          name,
          field,
          status,
          text.replace(/"streamCursor":"[^"]*"/, ''),
        ])
        expect(found).toEqual(missed)
      }
    }
  })
})

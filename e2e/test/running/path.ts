/** One event's way from a producer to an e-mail, a Slack message, a row and a live socket. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Alert, OrganizationCreated, SocketMessage } from '@tocsin/contracts'
import { createProducer } from '@tocsin/kafka'
import { waitFor } from '@tocsin/testing'
import { beforeAll, expect, test } from 'vitest'
import { alertOf, allAlerts, api, messages, notificationsOf, post, postEvents, subscribe } from '../../src/installation.ts'
import { kafkaOf, type OwnStack, sharedStack } from '../../src/stack.ts'

const SOON = 20_000
let stack: OwnStack
let acme: OrganizationCreated
let globex: OrganizationCreated

beforeAll(async () => {
  stack = await sharedStack()
  acme = await stack.tenant('acme')
  globex = await stack.tenant('globex')
})

const failure = (principal: string, n: number) => ({
  id: `${principal}-${n}`,
  timestamp: new Date().toISOString(),
  principalId: principal,
  action: 'auth.login',
  status: 'failure',
  sessionContext: { ipAddress: '192.0.2.7' },
})
const failures = (principal: string, count: number) => Array.from({ length: count }, (_, n) => failure(principal, n))
const alertFor = (tenant: OrganizationCreated, principal: string) =>
  waitFor(async () => (await allAlerts(stack.gatewayUrl, tenant)).find((alert) => alert.group['principalId'] === principal), {
    limitMs: SOON,
    what: `the alert of ${principal}`,
  })
const updates = (received: readonly SocketMessage[]) =>
  received.filter((message) => message.type === 'alert_created' || message.type === 'alert_updated')

test('five failed logins become a row, a mail, a Slack message, a socket message and an answer of the API', async () => {
  const socket = await subscribe(stack.gatewayUrl, acme)
  const answer = await postEvents(stack.gatewayUrl, acme, failures('mallory', 5))
  expect(answer.status).toBe(202)
  expect(answer.body.results.map((result) => result.status)).toEqual(Array(5).fill('accepted'))

  const alert = await alertFor(acme, 'mallory')
  expect(alert).toMatchObject({
    organizationId: acme.organizationId,
    pattern: 'FAILED_AUTH',
    severity: 'HIGH',
    type: 'SECURITY',
    status: 'active',
    source: 'detector',
    count: 5,
    open: true,
    version: 0,
    rule: { id: 'tocsin.failed-auth' },
    window: { threshold: 5, value: 5, spanMs: 300_000 },
  })
  expect((await alertOf(stack.gatewayUrl, acme, alert.id)).evidence.map((evidence) => evidence.id)).toEqual(
    failures('mallory', 5).map(({ id }) => id),
  )
  expect(await stack.rows('select severity, status, acknowledged, count::int from alerts where id = $1', [alert.id])).toEqual([
    { severity: 'HIGH', status: 'active', acknowledged: false, count: 5 },
  ])
  const told = await waitFor(
    async () => {
      const mine = (await messages(stack.mailboxUrl)).filter(
        (message) => message.text.includes(alert.id) || message.alertId === alert.id,
      )
      return new Set(mine.map((message) => message.kind)).size >= 2 && mine
    },
    { limitMs: SOON, what: 'mail and Slack message' },
  )
  expect(told.filter((message) => message.kind === 'mail').map((message) => message.to)).toEqual(['acme@example.org'])
  expect(told.filter((message) => message.kind === 'slack')).toHaveLength(1)
  const created = await waitFor(() => socket.received.find((message) => message.type === 'alert_created'), {
    limitMs: SOON,
    what: 'the socket',
  })
  expect(created).toMatchObject({ alert: { id: alert.id, status: 'active' } })
  expect(Object.keys((created as { alert: Alert }).alert).sort()).toEqual(Object.keys(alert).sort())
  socket.close()
})

test('what a person does is on every screen, under their name, and a wrong transition names the present state', async () => {
  const socket = await subscribe(stack.gatewayUrl, acme)
  await postEvents(stack.gatewayUrl, acme, failures('oscar', 5))
  const { id } = await alertFor(acme, 'oscar')
  const acknowledged = await api<Alert>(stack.gatewayUrl, acme.token, `/api/alerts/${id}/acknowledge`, { method: 'POST' })
  expect(acknowledged.body).toMatchObject({ status: 'acknowledged', acknowledged: true, version: 1 })
  const seen = await waitFor(
    () =>
      socket.received.find(
        (message) => message.type === 'alert_updated' && message.alert.id === id && message.alert.status === 'acknowledged',
      ),
    { limitMs: SOON, what: 'the acknowledgement on the socket' },
  )
  expect(seen).toMatchObject({ userId: acknowledged.body.acknowledgedBy, alert: { acknowledged: true, count: 5 } })
  const again = await api(stack.gatewayUrl, acme.token, `/api/alerts/${id}/acknowledge`, { method: 'POST' })
  expect(again).toMatchObject({ status: 409, body: { present: 'acknowledged' } })
  expect((await api(stack.gatewayUrl, acme.token, `/api/alerts/${id}/resolve`, { method: 'POST', body: {} })).status).toBe(400)
  const resolved = await api<Alert>(stack.gatewayUrl, acme.token, `/api/alerts/${id}/resolve`, {
    method: 'POST',
    body: { notes: 'It was Oscar.' },
  })
  expect(resolved.body).toMatchObject({ status: 'resolved', resolved: true, resolutionNotes: 'It was Oscar.' })
  socket.close()
})

test('an organization sees nothing of another: not in lists, by id, on the socket, nor by acting', async () => {
  const socket = await subscribe(stack.gatewayUrl, globex)
  await postEvents(stack.gatewayUrl, acme, failures('trudy', 5))
  const { id } = await alertFor(acme, 'trudy')
  const missing = await api(stack.gatewayUrl, globex.token, '/api/alerts/00000000-0000-4000-8000-000000000000')
  for (const [path, init] of [
    [`/api/alerts/${id}`, {}],
    [`/api/alerts/${id}/acknowledge`, { method: 'POST' }],
    [`/api/alerts/${id}/notifications`, {}],
  ] as const) {
    const answer = await api(stack.gatewayUrl, globex.token, path, init)
    expect([path, answer.status, answer.body]).toEqual([path, 404, missing.body])
  }
  expect((await api(stack.gatewayUrl, globex.token, `/api/alerts?organizationId=${acme.organizationId}`)).status).toBe(404)
  expect(await allAlerts(stack.gatewayUrl, globex)).toEqual([])
  // What globex itself raises arrives, so the silence before was not a dead socket.
  await postEvents(stack.gatewayUrl, globex, failures('trudy', 5))
  await waitFor(() => updates(socket.received).length > 0, { limitMs: SOON, what: "globex's own alert" })
  for (const message of updates(socket.received))
    expect(message).toMatchObject({ alert: { organizationId: globex.organizationId } })
  socket.close()
})

test('list, then subscribe from its position, loses nothing; a socket that comes back gets what it missed', async () => {
  const page = await api<{ streamCursor: string }>(stack.gatewayUrl, acme.token, '/api/alerts')
  await postEvents(stack.gatewayUrl, acme, failures('first', 5))
  const { id } = await alertFor(acme, 'first')
  const socket = await subscribe(stack.gatewayUrl, acme, page.body.streamCursor)
  await waitFor(() => socket.received.find((message) => message.type === 'alert_created' && message.alert.id === id), {
    limitMs: SOON,
    what: 'what came between',
  })
  socket.close()
  await socket.closed
  await postEvents(stack.gatewayUrl, acme, failures('second', 5))
  const second = await alertFor(acme, 'second')
  const back = await subscribe(stack.gatewayUrl, acme, socket.cursor())
  await waitFor(() => back.received.find((message) => message.type === 'alert_created'), {
    limitMs: SOON,
    what: 'what was missed',
  })
  expect(back.received.flatMap((message) => (message.type === 'alert_created' ? [message.alert.id] : []))).toEqual([second.id])
  back.close()
  expect(
    await subscribe(stack.gatewayUrl, acme, 'forged').then(
      (s) => s.received.some(({ type }) => type === 'resync'),
      () => true,
    ),
  ).toBe(true)
})

test('an event on audit.intake takes the same way, its organization by its key', async () => {
  const producer = createProducer(kafkaOf(stack))
  await producer.send(
    failures('kafka-user', 5).map((event, n) => ({
      topic: 'audit.intake',
      partition: n % 8,
      key: null,
      value: JSON.stringify(event),
      headers: { 'tocsin-key': acme.ingestKey },
    })),
  )
  await producer.close()
  expect((await alertFor(acme, 'kafka-user')).count).toBe(5)
})

test('an alert says who was told of it, and an organization from which nobody would be told says so', async () => {
  const alert = await alertFor(acme, 'mallory')
  const entries = await notificationsOf(stack.gatewayUrl, acme, alert.id)
  expect(
    entries
      .filter((entry) => entry.status === 'sent')
      .map((entry) => entry.channel)
      .sort(),
  ).toEqual(['email', 'slack'])
  const silent = await api<OrganizationCreated>(stack.gatewayUrl, stack.operatorToken, '/api/organizations', {
    method: 'POST',
    body: { name: 'Silent' },
  })
  expect(silent.status).toBe(201)
  expect(silent.body.warnings.join()).toMatch(/nobody/i)
  const seen = await api(stack.gatewayUrl, silent.body.token, `/api/organizations/${silent.body.organizationId}`)
  expect(seen.body).toMatchObject({ health: { status: 'WARNING', problems: [{ code: 'NOBODY_TOLD' }] } })
})

test('one sent twice is counted once, and gzip, NDJSON and one object are taken alike', async () => {
  const four = failures('twice', 4)
  const lines = four.map((event) => JSON.stringify(event)).join('\n')
  expect(
    (await post(stack.gatewayUrl, acme.ingestKey, lines, { type: 'application/x-ndjson', gzip: true })).body.results,
  ).toHaveLength(4)
  const again = await postEvents(stack.gatewayUrl, acme, four[0])
  expect(again.body.results).toMatchObject([{ index: 0, id: 'twice-0', status: 'duplicate' }])
  await postEvents(stack.gatewayUrl, acme, failures('marker', 5))
  await alertFor(acme, 'marker')
  expect((await allAlerts(stack.gatewayUrl, acme)).filter((alert) => alert.group['principalId'] === 'twice')).toEqual([])
  await postEvents(stack.gatewayUrl, acme, failure('twice', 4))
  expect((await alertFor(acme, 'twice')).count).toBe(5)
})

test("an organization's exception and its settings of one rule hold for the events after them, and for nobody else's", async () => {
  const careful = await stack.tenant('careful')
  const exception = { id: 'scanner', ruleId: null, reason: 'the nightly scan', owner: 'soc@example.org', expiresAt: null }
  const settings = {
    rules: { 'tocsin.failed-auth': { threshold: 3, severity: 'CRITICAL' } },
    exceptions: [{ ...exception, match: { 'principalId|startswith': 'scan' } }],
  }
  const url = `/api/organizations/${careful.organizationId}`
  expect((await api(stack.gatewayUrl, careful.token, url, { method: 'PATCH', body: { settings } })).status).toBe(200)
  // The change reaches the log soon after the answer; an event before it is judged as before.
  const alert = await waitFor(
    async () => {
      await postEvents(stack.gatewayUrl, careful, failures(`person-${Date.now()}`, 3))
      return (await allAlerts(stack.gatewayUrl, careful))[0]
    },
    { limitMs: SOON, what: 'an alert at the threshold of three' },
  )
  expect(alert).toMatchObject({ severity: 'CRITICAL', count: 3, window: { threshold: 3 } })
  await postEvents(stack.gatewayUrl, careful, failures('scanner-2', 9))
  await postEvents(stack.gatewayUrl, careful, failures('last', 3))
  await alertFor(careful, 'last')
  const principals = (await allAlerts(stack.gatewayUrl, careful)).map(({ group }) => group['principalId'])
  expect(principals).not.toContain('scanner-2')
  await postEvents(stack.gatewayUrl, globex, [...failures('scanner', 4), ...failures('scan-globex', 5)])
  expect((await alertFor(globex, 'scan-globex')).severity).toBe('HIGH')
  expect((await allAlerts(stack.gatewayUrl, globex)).some(({ group }) => group['principalId'] === 'scanner')).toBe(false)
})

test('an organization that is deleted is out at once: its socket closes, its key and its people are refused', async () => {
  const gone = await stack.tenant('gone')
  const [socket, other] = [await subscribe(stack.gatewayUrl, gone), await subscribe(stack.gatewayUrl, acme)]
  let othersEnd: number | undefined
  void other.closed.then((code) => {
    othersEnd = code
  })
  expect((await postEvents(stack.gatewayUrl, gone, failures('eve', 1))).status).toBe(202)
  const deletion = { method: 'POST', body: { confirm: 'gone', reason: 'the contract ended' } }
  const path = `/api/organizations/${gone.organizationId}/delete`
  expect((await api(stack.gatewayUrl, stack.operatorToken, path, deletion)).status).toBe(202)
  expect(await socket.closed).toBe(4403)
  await waitFor(async () => (await postEvents(stack.gatewayUrl, gone, failures('eve', 1))).status === 401, {
    limitMs: SOON,
    what: 'the key to be refused',
  })
  expect((await api(stack.gatewayUrl, gone.token, `/api/alerts?organizationId=${gone.organizationId}`)).status).toBe(404)
  expect(othersEnd).toBeUndefined()
  other.close()
})

test("the README's loop, run as written, ends with the alert's address", async () => {
  const { execFile } = await import('node:child_process')
  const { mkdtempSync, mkdirSync, rmSync, writeFileSync } = await import('node:fs')
  const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8')
  const script = /## See an alert[\s\S]*?```sh\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const dir = mkdtempSync(join(import.meta.dirname, '../../../.local/test-readme-'))
  mkdirSync(join(dir, '.local'))
  const readmeTenant = await stack.tenant('readme')
  writeFileSync(
    join(dir, '.local/connection.json'),
    JSON.stringify({ gateway: stack.gatewayUrl, ingestKey: readmeTenant.ingestKey, token: readmeTenant.token }),
  )
  const out = await new Promise<string>((resolve, reject) =>
    execFile('bash', ['-c', script], { cwd: dir, timeout: 60_000 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout),
    ),
  ).finally(() => rmSync(dir, { recursive: true, force: true }))
  const [alert] = await allAlerts(stack.gatewayUrl, readmeTenant)
  expect(out.trim().split('\n').at(-1)).toBe(`${stack.gatewayUrl}/alerts/${alert?.id}`)
  expect(alert).toMatchObject({ count: 5, group: { principalId: 'mallory' } })
})

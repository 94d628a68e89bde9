import { type ApiOperation, OPERATIONS_TABLE } from '@tocsin/contracts'
import { waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunningNotifier } from '../src/app.ts'
import { json } from '../src/channels/stand-ins/http-provider.ts'
import { acted, created, figuresOf, revised, statusOf } from './ledger-world.ts'
import { createNotifierWorld, type NotifierWorld } from './notifier-world.ts'

const LIMIT_MS = 30_000
let world: NotifierWorld
let notifier: RunningNotifier
beforeAll(async () => {
  world = await createNotifierWorld()
  notifier = await world.start()
})
afterAll(() => world?.close())

const mailsAbout = (alertId: string) => world.smtp.mails.filter((mail) => mail.headers.get('x-tocsin-alert') === alertId)
const slackAbout = (alertId: string) => world.slack.calls.filter(({ form }) => JSON.stringify(form).includes(alertId))
const statuses = async (alertId: string) =>
  (
    await world.admin<{ line: string }>(
      `SELECT channel || ' ' || change || ' ' || status AS line FROM deliveries WHERE alert_id = $1 ORDER BY made_at, channel`,
      [alertId],
    )
  ).map(({ line }) => line)

test('a CRITICAL alert is told by mail, Slack and SMS, with a link to it', async () => {
  const organizationId = await world.newOrganization({
    recipients: { emails: ['ops@example.org'], slackChannels: ['#alerts'], phoneNumbers: ['+491701234567'] },
  })
  const figures = figuresOf(organizationId, { severity: 'CRITICAL' })
  await world.publish(created(figures))
  await waitFor(async () => (await statuses(figures.id)).filter((line) => line.endsWith('sent')).length === 3, {
    limitMs: LIMIT_MS,
    what: 'three messages',
  })
  const [mail] = mailsAbout(figures.id)
  expect(mail).toMatchObject({ to: 'ops@example.org', subject: '[SECURITY] Five failed logins of root' })
  expect(mail?.text).toContain(`http://127.0.0.1:8080/alerts/${figures.id}`)
  expect(mail?.headers.get('message-id')).toBe(`<alert.${figures.id}.0@localhost>`)
  expect(slackAbout(figures.id)[0]).toMatchObject({ path: '/slack/api/chat.postMessage', form: { channel: '#alerts' } })
  expect(world.sms.calls.at(-1)?.form.Body).toMatch(new RegExp(`^Tocsin CRITICAL: .*${figures.id}$`))
})

test('what people do afterwards changes the Slack message and is said in its thread; the end of it also goes by mail, as an answer', async () => {
  const organizationId = await world.newOrganization({ recipients: { emails: ['ops@example.org'], slackChannels: ['#alerts'] } })
  const figures = figuresOf(organizationId)
  await world.publish(created(figures))
  await waitFor(async () => (await statuses(figures.id)).filter((line) => line.endsWith('sent')).length === 2, {
    limitMs: LIMIT_MS,
    what: 'two messages',
  })
  await world.publish(acted(statusOf(figures, 'acknowledged')))
  await waitFor(async () => (await statuses(figures.id)).includes('slack acknowledged:1 sent'), {
    limitMs: LIMIT_MS,
    what: 'the update',
  })
  const update = slackAbout(figures.id).find(({ path }) => path.endsWith('chat.update'))
  expect(update?.form.channel).toBe('C0alerts')
  const line = world.slack.calls.find(({ form }) => form.thread_ts === update?.form.ts)
  expect(line?.form.text).toBe('Acknowledged by ada.')

  await world.publish(revised({ ...figures, revision: 2, open: false }, 'alert.closed'))
  await waitFor(() => mailsAbout(figures.id).length === 2, { limitMs: LIMIT_MS, what: 'the second mail' })
  const [first, second] = mailsAbout(figures.id)
  expect(second?.subject).toBe(first?.subject)
  expect(second?.headers.get('in-reply-to')).toBe(first?.headers.get('message-id'))
})

test('what was erased leaves the copy of an alert, and what retention deleted leaves with all that was told of it', async () => {
  const organizationId = await world.newOrganization({ members: ['eve'] })
  const figures = figuresOf(organizationId)
  const eve = await world.tokenOf('eve')
  const { id } = figures
  await world.publish(created(figures))
  await waitFor(async () => (await world.entries(notifier, id, eve)).items.some(({ status }) => status === 'sent'), {
    limitMs: LIMIT_MS,
    what: 'the message',
  })
  const erased = (reason: 'erasure' | 'retention') =>
    world.publish({ type: 'alert.erased', value: { id, organizationId, at: figures.updatedAt, reason } })
  const copy = async () => JSON.stringify(await world.admin('SELECT figures, people FROM notifier.alerts WHERE id = $1', [id]))
  expect(await copy()).toContain(figures.description)
  await erased('erasure')
  await waitFor(async () => !(await copy()).includes(figures.description), { limitMs: LIMIT_MS, what: 'the masked copy' })
  expect((await world.entries(notifier, id, eve)).status).toBe(200)
  await erased('retention')
  await waitFor(async () => (await world.entries(notifier, id, eve)).status === 404, { limitMs: LIMIT_MS, what: 'nothing' })
}, 120_000)

test('of a deleted organization copies and destinations go, and what its alerts still say is not let in', async () => {
  const organizationId = await world.newOrganization()
  const [figures, late] = [figuresOf(organizationId), figuresOf(organizationId)]
  await world.publish(created(figures))
  await waitFor(async () => (await statuses(figures.id)).some((line) => line.endsWith('sent')), {
    limitMs: LIMIT_MS,
    what: 'the message',
  })
  await world.admin(
    `INSERT INTO destinations (organization_id, channel, destination) VALUES ($1, 'email', 'ops@example.org') ON CONFLICT DO NOTHING`,
    [organizationId],
  )
  await world.deleteOrganization(organizationId)
  // Through the same partition: the one that is told afterwards shows that the others were read.
  const told = figuresOf(await world.newOrganization({ besides: organizationId }))
  const erased = { id: figures.id, organizationId, at: figures.updatedAt, reason: 'organization' as const }
  await world.publish({ type: 'alert.erased', value: erased }, created(late), created(told))
  await waitFor(async () => (await statuses(told.id)).some((line) => line.endsWith('sent')), {
    limitMs: LIMIT_MS,
    what: 'the message of the other',
  })
  for (const table of ['alerts', 'notifications', 'deliveries', 'attempts', 'destinations'])
    expect([table, await world.admin(`SELECT 1 FROM ${table} WHERE organization_id = $1`, [organizationId])]).toEqual([table, []])
}, 120_000)

test('tells a role that may not read everything that somebody was told, and not whom', async () => {
  const organizationId = await world.newOrganization({ members: ['vic'], as: 'viewer' })
  const figures = figuresOf(organizationId)
  await world.publish(created(figures))
  const vic = await world.tokenOf('vic')
  const sent = await waitFor(
    async () => {
      const answer = await world.entries(notifier, figures.id, vic)
      return answer.items.some(({ status }) => status === 'sent') && answer
    },
    { limitMs: LIMIT_MS, what: 'the entry' },
  )
  expect(sent.items).toMatchObject([{ channel: 'email', destination: '[masked]', status: 'sent' }])
  expect(JSON.stringify(sent)).not.toContain('ops@example.org')
})

test('tells members who was told, and nobody else that there is such an alert', async () => {
  const organizationId = await world.newOrganization({ members: ['ada'] })
  await world.newOrganization({ members: ['mallory'] })
  const figures = figuresOf(organizationId)
  await world.publish(created(figures))
  const [ada, mallory, stranger] = await Promise.all(['ada', 'mallory', 'stranger'].map(world.tokenOf))
  const sent = await waitFor(
    async () => {
      const answer = await world.entries(notifier, figures.id, ada ?? '')
      return answer.items.some(({ status }) => status === 'sent') && answer
    },
    { limitMs: LIMIT_MS, what: 'the entry' },
  )
  expect(sent.items).toMatchObject([
    {
      alertId: figures.id,
      channel: 'email',
      destination: 'ops@example.org',
      event: 'created',
      status: 'sent',
      attempts: 1,
      late: false,
    },
  ])

  const missing = await world.entries(notifier, crypto.randomUUID(), mallory ?? '')
  expect(await world.entries(notifier, figures.id, mallory ?? '')).toEqual(missing)
  expect(missing).toMatchObject({ status: 404, code: 'NOT_FOUND' })
  expect(await world.entries(notifier, figures.id, mallory ?? '', `?organizationId=${organizationId}`)).toEqual(missing)
  expect(await world.entries(notifier, figures.id, stranger ?? '')).toMatchObject({ status: 400, code: 'ORGANIZATION_REQUIRED' })
  expect(await world.entries(notifier, figures.id, 'nonsense')).toMatchObject({ status: 401 })
  expect(await world.entries(notifier, 'nonsense', ada ?? '')).toMatchObject({ status: 400 })
})

test.each(Object.entries<ApiOperation>(OPERATIONS_TABLE).filter(([, { service }]) => service === 'notifier'))(
  '%s tells a stranger nothing of another organization’s alert, whatever the request names',
  async (_, { method, url, schema }) => {
    const [victim, own] = [await world.newOrganization({ members: ['vera'] }), await world.newOrganization({ members: ['max'] })]
    const figures = figuresOf(victim)
    await world.publish(created(figures))
    const [vera = '', max = ''] = await Promise.all(['vera', 'max'].map(world.tokenOf))
    await waitFor(async () => (await world.entries(notifier, figures.id, vera)).status === 200, {
      limitMs: LIMIT_MS,
      what: 'the entry',
    })
    const ask = async (id: string, query: string) => {
      const path = url.replace(':id', id)
      // Another place for an id needs a line here.
      expect([path.includes(':'), schema.body]).toEqual([false, undefined])
      const claims = { 'x-organization-id': victim, 'x-tocsin-subject': 'vera', 'x-user-id': 'vera' }
      const headers = { authorization: `Bearer ${max}`, ...claims }
      const answer = await fetch(`http://127.0.0.1:${notifier.port}${path}${query}`, { method, headers })
      return { status: answer.status, body: await answer.json() }
    }
    for (const query of ['', `?organizationId=${own}`, `?organizationId=${victim}`]) {
      const missing = await ask(crypto.randomUUID(), query)
      expect([query, missing.status]).toEqual([query, 404])
      expect(await ask(figures.id, query)).toEqual(missing)
    }
  },
)

test('a poison record goes to the dead letters, and the next alert is told', async () => {
  const organizationId = await world.newOrganization()
  const figures = figuresOf(organizationId)
  const before = (await world.contentOf('alerts.dead')).length
  await world.publishRaw('{"half', { 'tocsin-type': 'alert.created' })
  await world.publishRaw('{}', { 'tocsin-type': 'alert.created' })
  await world.publishRaw('{}', {})
  await world.publish(created(figures))
  await waitFor(() => mailsAbout(figures.id).length === 1, { limitMs: LIMIT_MS, what: 'the mail' })
  const dead = await waitFor(
    async () => {
      const found = (await world.contentOf('alerts.dead')).slice(before)
      return found.length === 3 && found
    },
    { limitMs: LIMIT_MS, what: 'three dead letters' },
  )
  expect(dead.map(({ headers }) => headers['dead-code']?.toString())).toEqual(['MALFORMED', 'INVALID', 'UNKNOWN_TYPE'])
  expect(dead.every(({ headers }) => headers['dead-consumer']?.toString() === 'notifier')).toBe(true)
})

test('an organization made a moment ago is told of its first alert', async () => {
  const organizationId = await world.newOrganization()
  const figures = figuresOf(organizationId)
  await world.publish(created(figures))
  await waitFor(() => mailsAbout(figures.id).length === 1, { limitMs: LIMIT_MS, what: 'the mail' })
  expect(await world.admin('SELECT reason FROM notifications WHERE alert_id = $1', [figures.id])).toEqual([{ reason: null }])
})

test('a mail server that stalls delays neither Slack nor itself for ever', async () => {
  const organizationId = await world.newOrganization({ recipients: { emails: ['slow@example.org'], slackChannels: ['#fast'] } })
  const other = await world.start({ SEND_TIMEOUT_MS: 1_000 })
  await world.stop(notifier)
  world.smtp.mode = 'stall'
  const figures = figuresOf(organizationId)
  try {
    await world.publish(created(figures))
    await waitFor(async () => (await statuses(figures.id)).includes('slack created sent'), { limitMs: LIMIT_MS, what: 'Slack' })
    await waitFor(async () => (await world.admin(`SELECT 1 FROM attempts WHERE code = 'timeout'`)).length > 0, {
      limitMs: LIMIT_MS,
      what: 'the timeout',
    })
    world.smtp.mode = 'accept'
    await waitFor(() => mailsAbout(figures.id).length === 1, { limitMs: LIMIT_MS, what: 'the mail' })
  } finally {
    world.smtp.mode = 'accept'
    notifier = await world.start()
    await world.stop(other)
  }
})

test('Slack’s Retry-After is obeyed', async () => {
  const organizationId = await world.newOrganization({ recipients: { slackChannels: ['#limited'] } })
  const figures = figuresOf(organizationId)
  const accepts = world.slack.answer
  let refusedAt = 0
  world.slack.answer = (call, response) => {
    if (refusedAt > 0) return accepts(call, response)
    refusedAt = performance.now()
    return json(429, { ok: false, error: 'ratelimited' }, { 'retry-after': '2' })(call, response)
  }
  await world.publish(created(figures))
  await waitFor(async () => (await statuses(figures.id)).includes('slack created sent'), { limitMs: LIMIT_MS, what: 'Slack' })
  expect(performance.now() - refusedAt).toBeGreaterThan(1_900)
  expect(slackAbout(figures.id)).toHaveLength(2)
})

test('says when somebody was told, in its metrics', async () => {
  const text = await (await fetch(`http://127.0.0.1:${notifier.metricsPort}/metrics`)).text()
  const told = text
    .split('\n')
    .find((line) => line.startsWith('tocsin_event_to_told_seconds_count') && line.includes('severity="HIGH"'))
  expect(Number(told?.split(' ').at(-1))).toBeGreaterThan(0)
  expect(text.split('\n').filter((line) => /example\.org|#alerts/.test(line))).toEqual([])
  const ready = await fetch(`http://127.0.0.1:${notifier.metricsPort}/health/ready`)
  expect(ready.status).toBe(200)
})

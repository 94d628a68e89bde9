import { randomBytes, randomUUID } from 'node:crypto'
import { openCursor } from '@tocsin/access'
import { type AlertFigures, AuditEvent, type RaiseAnswer } from '@tocsin/contracts'
import { headerOf } from '@tocsin/kafka'
import { waitFor } from '@tocsin/testing'
import { Compile } from 'typebox/compile'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createStreamWorld, type Instance, type StreamWorld } from './stream-world.ts'
import { figuresOf } from './world.ts'

type Organization = Awaited<ReturnType<StreamWorld['newOrganization']>>
let world: StreamWorld
let instance: Instance
let acme: Organization
beforeAll(async () => {
  world = await createStreamWorld()
  instance = await world.start()
  acme = await world.newOrganization(instance, 'Acme')
})
afterAll(() => world.close())

const LIMIT_MS = 20_000
const isEvent = Compile(AuditEvent)
const applied = (partition: number, offset: bigint) =>
  waitFor(
    async () => {
      const [row] = await world.admin<{ next: bigint }>('SELECT next FROM offsets WHERE topic = $1 AND partition = $2', [
        'alerts',
        partition,
      ])
      return row !== undefined && row.next > offset
    },
    { limitMs: LIMIT_MS, what: `offset ${offset} of partition ${partition} to be applied` },
  )
const publish = async (records: Parameters<StreamWorld['publish']>[1], partition = acme.partition) => {
  const offsets = await world.publish(partition, records)
  const last = offsets.at(-1)
  if (last !== undefined) await applied(partition, last)
  return offsets
}
const created = (figures: AlertFigures) => ({ type: 'alert.created', value: figures })
const revised = (figures: AlertFigures, over: Partial<AlertFigures>) => ({
  type: 'alert.revised',
  value: { ...figures, ...over },
})
const alert = async (id: string) =>
  (await world.ask(instance, 'GET', `/api/alerts/${id}`, acme.token)).body as Record<string, unknown>
const onTopic = async (id: string) =>
  (await world.contentOf('alerts')).flatMap((record) => {
    const value = JSON.parse(record.value?.toString() ?? 'null')
    return value?.id === id ? [{ type: headerOf(record, 'tocsin-type'), partition: record.partition, value }] : []
  })

describe('figures', () => {
  test('make a row with evidence, grow with each revision, and never go back', async () => {
    const figures = figuresOf(acme.organizationId)
    await publish([created(figures)])
    expect(await alert(figures.id)).toEqual({ ...figures, ...untouched, version: 0 })
    const later = {
      revision: 3,
      count: 20,
      severity: 'CRITICAL' as const,
      updatedAt: '2026-03-01T10:06:00.000Z',
      tags: [],
      evidence: [],
    }
    await publish([revised(figures, later), revised(figures, { revision: 2, count: 9 })])
    expect(await alert(figures.id)).toEqual({ ...figures, ...later, ...untouched, version: 0 })
  })

  test('that an index does not hold are revised in place, also where PostgreSQL compresses the row (docs/decisions/0011)', async () => {
    const inPlace = async (): Promise<bigint> => {
      const [row] = await world.admin<{ updates: bigint }>(
        `SELECT n_tup_hot_upd AS updates FROM pg_stat_user_tables WHERE schemaname = 'persistence' AND relname = 'alerts'`,
      )
      return row?.updates ?? 0n
    }
    const before = await inPlace()
    // Beyond 2 KB PostgreSQL compresses the longest first: here the words, each of which has digits of the organization before it.
    const description = Array.from({ length: 100 }, (_, at) => `word${at}`).join(' ')
    const metadata = { note: randomBytes(450).toString('hex') }
    const figures = { ...figuresOf(acme.organizationId), description, metadata, updatedAt: '2026-03-01T10:00:00.000Z' }
    await publish([created(figures)])
    for (let revision = 2; revision <= 7; revision++)
      await publish([revised(figures, { revision, count: revision, updatedAt: `2026-03-01T10:00:0${revision}.000Z` })])
    await waitFor(async () => (await inPlace()) >= before + 4n, { limitMs: LIMIT_MS, what: 'four of six updates in place' })
  })

  test('leave alone what people did, whichever comes later', async () => {
    const figures = figuresOf(acme.organizationId)
    await publish([created(figures)])
    await world.ask(instance, 'POST', `/api/alerts/${figures.id}/acknowledge`, acme.token)
    await publish([{ type: 'alert.closed', value: { ...figures, revision: 2, open: false, count: 7 } }])
    expect(await alert(figures.id)).toMatchObject({
      status: 'acknowledged',
      acknowledgedBy: 'admin@acme',
      version: 1,
      open: false,
      count: 7,
    })
  })

  test('of another organization under a known id change nothing', async () => {
    const figures = figuresOf(acme.organizationId)
    await publish([created(figures)])
    await publish([revised(figures, { organizationId: randomUUID(), revision: 9, title: 'taken over' })])
    expect(await alert(figures.id)).toMatchObject({ revision: 1, title: figures.title })
  })
})

const untouched = {
  status: 'active',
  assignee: null,
  acknowledged: false,
  acknowledgedAt: null,
  acknowledgedBy: null,
  resolved: false,
  resolvedAt: null,
  resolvedBy: null,
  resolutionNotes: null,
  dismissedAt: null,
  dismissedBy: null,
  dismissReason: null,
  resolutionAction: null,
  resolutionMetadata: null,
  acknowledgementExpiresAt: null,
  endedAtCount: null,
  labels: [],
}

describe('people', () => {
  test('what they do goes to alerts in the order of versions, and coming back changes nothing', async () => {
    const figures = figuresOf(acme.organizationId)
    await publish([created(figures)])
    await world.ask(instance, 'POST', `/api/alerts/${figures.id}/acknowledge`, acme.token)
    const { body } = await world.ask(instance, 'POST', `/api/alerts/${figures.id}/resolve`, acme.token, { notes: 'done' })
    const records = await waitFor(
      async () => {
        const found = await onTopic(figures.id)
        return found.length === 3 && found
      },
      { limitMs: LIMIT_MS, what: 'both acts on alerts' },
    )
    expect(records.map(({ type, partition, value }) => [type, partition, value.version])).toEqual([
      ['alert.created', acme.partition, undefined],
      ['alert.acknowledged', acme.partition, 1],
      ['alert.resolved', acme.partition, 2],
    ])
    await publish([created(figuresOf(acme.organizationId))])
    expect(await alert(figures.id)).toMatchObject(body)
    expect(
      await world.admin('SELECT version FROM history WHERE about_id = $1 AND version IS NOT NULL', [figures.id]),
    ).toHaveLength(2)
    expect(await world.admin('SELECT 1 FROM outbox')).toEqual([])
  })

  test('an act that only the log knows (a restored database) is applied', async () => {
    const figures = figuresOf(acme.organizationId)
    const at = '2026-03-01T11:00:00.000Z'
    const change = { id: figures.id, organizationId: acme.organizationId, version: 2, actor: 'bob', updatedAt: at }
    await publish([
      created(figures),
      {
        type: 'alert.dismissed',
        value: { ...change, changes: { status: 'dismissed', dismissedAt: at, dismissedBy: 'bob', dismissReason: 'benign' } },
      },
      { type: 'alert.acknowledged', value: { ...change, version: 1, changes: { status: 'acknowledged' } } },
    ])
    expect(await alert(figures.id)).toMatchObject({
      status: 'dismissed',
      dismissedBy: 'bob',
      dismissReason: 'benign',
      version: 2,
      updatedAt: at,
    })
  })
})

describe('an alert that was merged into another', () => {
  const merged = (figures: AlertFigures, into: string) => ({
    type: 'alert.closed',
    value: { ...figures, revision: 2, open: false, metadata: { ...figures.metadata, mergedInto: into } },
  })

  test('is dismissed as a duplicate by the system, and says so on alerts', async () => {
    const figures = figuresOf(acme.organizationId)
    const into = randomUUID()
    await publish([created(figures)])
    await publish([merged(figures, into)])
    expect(await alert(figures.id)).toMatchObject({
      status: 'dismissed',
      dismissedBy: 'system',
      dismissReason: 'duplicate',
      resolutionMetadata: { mergedInto: into },
      version: 1,
    })
    const records = await waitFor(
      async () => {
        const found = await onTopic(figures.id)
        return found.length === 3 && found
      },
      { limitMs: LIMIT_MS, what: 'the dismissal on alerts' },
    )
    expect(records[2]).toMatchObject({ type: 'alert.dismissed', value: { actor: 'system', version: 1 } })
  })

  test('stays as it is when a person has acted', async () => {
    const figures = figuresOf(acme.organizationId)
    await publish([created(figures)])
    await world.ask(instance, 'POST', `/api/alerts/${figures.id}/acknowledge`, acme.token)
    await publish([merged(figures, randomUUID())])
    expect(await alert(figures.id)).toMatchObject({ status: 'acknowledged', version: 1, open: false })
  })
})

test('an alert that was raised through the API comes back by the topic, and people act on it as on any other', async () => {
  const raised = { type: 'SYSTEM', severity: 'HIGH', title: 'Backup failed', dedupKey: 'backup' }
  const raise = async () => {
    const { body } = await world.ask(instance, 'POST', '/api/alerts', acme.token, raised)
    return (body as unknown as RaiseAnswer).items[0]?.alert?.id ?? ''
  }
  const id = await raise()
  const arrived = (revision: number) =>
    waitFor(async () => (await alert(id))['revision'] === revision, { limitMs: LIMIT_MS, what: `revision ${revision}` })
  await arrived(1)
  await world.ask(instance, 'POST', `/api/alerts/${id}/acknowledge`, acme.token)
  expect(await raise()).toBe(id)
  await arrived(2)
  expect(await alert(id)).toMatchObject({ title: 'Backup failed', count: 2, status: 'acknowledged', source: 'api:admin@acme' })
})

describe('the system in the place of people', () => {
  const act = (id: string, action: string, body: unknown) =>
    world.ask(instance, 'POST', `/api/alerts/${id}/${action}`, acme.token, body)
  const closed = (figures: AlertFigures, revision: number) => ({
    type: 'alert.closed',
    value: { ...figures, revision, open: false },
  })

  test('reopens an alert whose count has doubled since somebody ended it, and not before', async () => {
    const figures = figuresOf(acme.organizationId)
    await publish([created(figures)])
    await act(figures.id, 'resolve', { notes: 'n' })
    await publish([revised(figures, { revision: 2, count: 9 })])
    expect(await alert(figures.id)).toMatchObject({ status: 'resolved', count: 9, endedAtCount: 5, version: 1 })
    await publish([revised(figures, { revision: 3, count: 10 })])
    expect(await alert(figures.id)).toMatchObject({ status: 'active', resolved: false, endedAtCount: null, version: 2 })
    const [entry] = await world.admin('SELECT actor, channel FROM history WHERE about_id = $1 AND version = 2', [figures.id])
    expect(entry).toEqual({ actor: 'system', channel: 'system' })
    await waitFor(async () => (await onTopic(figures.id)).some(({ type }) => type === 'alert.reopened'), {
      limitMs: LIMIT_MS,
      what: 'the reopening on alerts',
    })
  })

  test('resolves with its episode what its rule lets it, unless a person has said as much as a word', async () => {
    const metadata = { autoResolve: true }
    const [left, taken] = [figuresOf(acme.organizationId, { metadata }), figuresOf(acme.organizationId, { metadata })]
    await publish([created(left), created(taken)])
    await act(taken.id, 'comments', { comment: 'mine' })
    await publish([closed(left, 2), closed(taken, 2)])
    expect(await alert(left.id)).toMatchObject({ status: 'resolved', resolvedBy: 'system', version: 1 })
    expect(await alert(taken.id)).toMatchObject({ status: 'active', version: 1 })
  })
})

describe('a record that can never be stored', () => {
  const figures = () => figuresOf(acme?.organizationId ?? randomUUID())
  const text = (over: object) => JSON.stringify({ ...figures(), ...over })
  const poison: Record<string, [code: string, type: string, value: string | Buffer]> = {
    'that is not JSON': ['MALFORMED', 'alert.created', '{'],
    'that is empty': ['MALFORMED', 'alert.created', ''],
    'that is not UTF-8': ['MALFORMED', 'alert.created', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    'with another shape': ['INVALID', 'alert.created', text({ severity: 'TERRIBLE' })],
    'with an id that is none': ['INVALID', 'alert.created', text({ id: '1; DROP TABLE alerts' })],
    'with a NUL in a text': ['INVALID', 'alert.created', text({ title: 'a\u0000b' })],
    'with a NUL deep in metadata': ['INVALID', 'alert.created', text({ metadata: { a: [{ b: '\u0000' }] } })],
    'with half of a surrogate pair': ['INVALID', 'alert.created', text({ description: '\ud83d' })],
    'merged into nothing that could be': ['INVALID', 'alert.closed', text({ metadata: { mergedInto: 'x' } })],
    'with a count below zero': ['INVALID', 'alert.created', text({ count: -1 })],
    'with a count that no number holds': ['INVALID', 'alert.created', text({}).replace('"count":5', '"count":1e400')],
    'with a count that is a text': ['INVALID', 'alert.created', text({ count: 'NaN' })],
    'without a type': ['UNKNOWN_TYPE', '', text({})],
    'with a date that no calendar has': ['UNEXPECTED', 'alert.created', text({ createdAt: '0000-00-00T00:00:00Z' })],
  }

  test.each(Object.keys(poison))('is set aside with its reason, and the next one goes on: %s', async (name) => {
    const [code, type, value] = poison[name] ?? ['', '', '']
    const next = figures()
    const offsets = await publish([{ type, value }, created(next)])
    expect(await alert(next.id)).toMatchObject({ revision: 1 })
    const dead = await waitFor(
      async () => (await world.contentOf('alerts.dead')).find((record) => headerOf(record, 'dead-offset') === String(offsets[0])),
      { limitMs: LIMIT_MS, what: 'the dead letter' },
    )
    // A date that the schema's pattern knows as wrong already is as good.
    expect(code === 'UNEXPECTED' ? ['UNEXPECTED', 'INVALID'] : [code]).toContain(headerOf(dead, 'dead-code'))
    expect(dead.value).toEqual(Buffer.from(value))
  })

  test('a text that only looks like one is stored as it is', async () => {
    const next = figuresOf(acme.organizationId, {
      title: 'a \\u0000 and \\ud800 as typed, \u202eright to left, zero\u200bwidth',
      metadata: { emoji: '😀' },
    })
    await publish([created(next)])
    expect(await alert(next.id)).toMatchObject({ title: next.title, metadata: next.metadata })
  })
})

test('the position of a list is exactly what the list contains, whenever it is asked for', async () => {
  const organization = await world.newOrganization(instance, 'Races')
  const { partition, organizationId } = organization
  const figures = Array.from({ length: 40 }, () => figuresOf(organizationId))
  const answers: { offset: bigint; revisions: Map<string, number> }[] = []
  const publishing = (async () => {
    for (let revision = 1; revision <= 12; revision++) {
      for (let at = 0; at < figures.length; at += 10)
        await world.publish(
          partition,
          figures.slice(at, at + 10).map((each) => revised(each, { revision })),
        )
      // A fast log would be over before a second list is asked for.
      const seen = () => [...(answers.at(-1)?.revisions.values() ?? [])].includes(revision)
      await waitFor(seen, { limitMs: LIMIT_MS, what: `revision ${revision} in a list` })
    }
  })()
  let ended = false
  const over = () => {
    ended = true
  }
  void publishing.then(over, over)
  while (!ended) {
    const { body } = await world.ask(instance, 'GET', '/api/alerts?limit=500', organization.token)
    const { items, streamCursor } = body as unknown as { items: AlertFigures[]; streamCursor: string }
    answers.push({
      offset: openCursor(world.ring, streamCursor).offset,
      revisions: new Map(items.map((item) => [item.id, item.revision])),
    })
  }
  await publishing
  const log = (await world.contentOf('alerts')).filter((record) => record.partition === partition)
  for (const { offset, revisions } of answers) {
    const expected = new Map<string, number>()
    for (const record of log) {
      if (record.offset >= offset) break
      const value = JSON.parse(record.value?.toString() || 'null')
      if (value?.organizationId === organizationId) expected.set(value.id, value.revision)
    }
    expect(revisions).toEqual(expected)
  }
  expect(new Set(answers.map((answer) => answer.offset)).size).toBeGreaterThan(3)
})

test('a type that this release does not know stops its partition and is reported; the other partitions go on', async () => {
  const other = acme.partition === 0 ? 1 : 0
  await world.publish(other, [{ type: 'alert.teleported', value: figuresOf(acme.organizationId) }])
  await waitFor(() => instance.degraded().includes(`alerts/${other}:halted`), { limitMs: LIMIT_MS, what: 'the report' })
  const next = figuresOf(acme.organizationId)
  await publish([created(next)])
  expect(await alert(next.id)).toMatchObject({ revision: 1 })
})

describe('administrative acts', () => {
  test('lie on audit.events as events of their organization, once each and in order, behind its settings', async () => {
    const own = await world.newOrganization(instance, 'Watched')
    const set = (subject: string, role: string) => world.ask(instance, 'PUT', `/api/members/${subject}`, own.token, { role })
    const acts = ['viewer', 'responder', 'auditor', 'author'].map((role) => () => set('mia', role))
    for (const act of acts) await act()
    await Promise.all(['a', 'b', 'c'].map((subject) => set(subject, 'viewer')))
    const entries = await world.admin<{ id: string; about_id: string }>(
      `SELECT id, about_id FROM history WHERE organization_id = $1 ORDER BY position`,
      [own.organizationId],
    )
    const records = await waitFor(
      async () => {
        const found = (await world.contentOf('audit.events')).filter(({ key }) => String(key) === own.organizationId)
        return found.filter((record) => headerOf(record, 'tocsin-type') === 'event').length === entries.length && found
      },
      { limitMs: LIMIT_MS, what: 'the events' },
    )
    expect(new Set(records.map(({ partition }) => partition))).toEqual(new Set([own.partition]))
    expect(headerOf(records[0] as (typeof records)[0], 'tocsin-type')).toBe('control')
    const events = records
      .filter((record) => headerOf(record, 'tocsin-type') === 'event')
      .map((record) => JSON.parse(String(record.value)) as AuditEvent)
    expect(events.filter((event) => !isEvent.Check(event))).toEqual([])
    expect(events.map(({ id }) => id).sort()).toEqual(entries.map(({ id }) => `tocsin:${id}`).sort())
    // Acts one after the other are told one after the other.
    const ofMia = (ids: readonly { readonly id: string; readonly about: string | undefined }[]) =>
      ids.filter(({ about }) => about === 'mia').map(({ id }) => id.replace('tocsin:', ''))
    expect(ofMia(events.map(({ id, targetResourceId }) => ({ id, about: targetResourceId })))).toEqual(
      ofMia(entries.map(({ id, about_id }) => ({ id, about: about_id }))),
    )
  })

  test('hits of exceptions, as the detector tells them, are shown with the exceptions', async () => {
    const exception = { id: 'scan', ruleId: null, match: { principalId: 'scanner' }, reason: 'a scan', expiresAt: null }
    await world.ask(instance, 'POST', '/api/exceptions', acme.token, exception)
    const { organizationId } = acme
    for (const hits of [[{ id: 'scan', count: 3 }], 'nonsense', [{ id: 'scan', count: 5 }]])
      await world.producer.send([
        { topic: 'exception.hits', partition: 0, key: organizationId, value: JSON.stringify({ organizationId, hits }) },
      ])
    await waitFor(
      async () => {
        const { body } = await world.ask(instance, 'GET', '/api/exceptions', acme.token)
        return (body['items'] as unknown as { hits: number }[])[0]?.hits === 5
      },
      { limitMs: LIMIT_MS, what: 'the hits' },
    )
  })
})

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { HistoryHeads, HistoryItem } from '@tocsin/contracts'
import { createPool, type Pool, queryOf, transaction } from '@tocsin/postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cutHistory } from '../src/history/cut.ts'
import { signDueHeads } from '../src/history/heads.ts'
import { sealWaiting } from '../src/history/sealer.ts'
import { createMetrics } from '../src/metrics.ts'
import { FieldCipher } from '../src/protection/field-cipher.ts'
import { applyRetention } from '../src/protection/retention.ts'
import { addHistory, erasePayloads } from '../src/repositories/history.ts'
import { createWorld, silent, type World } from './world.ts'

const TOCSIN = new URL('../../../apps/cli/src/main.ts', import.meta.url).pathname

let world: World
let folder: string
let cipher: FieldCipher
const metrics = createMetrics()
beforeAll(async () => {
  world = await createWorld()
  cipher = new FieldCipher(world.workerPool, world.ring.fields)
  folder = await mkdtemp(join(tmpdir(), 'tocsin-history-'))
})
afterAll(async () => {
  await world.close()
  await rm(folder, { recursive: true })
})

let acme: Awaited<ReturnType<World['newOrganization']>>
beforeEach(async () => {
  acme = await world.newOrganization(`Acme ${crypto.randomUUID()}`)
  await sealAll()
})

const act = async (count = 1, at = new Date().toISOString()) => {
  const { organizationId } = acme
  await cipher.load([organizationId])
  for (let number = 0; number < count; number++)
    await transaction(world.workerPool, (query) =>
      addHistory(query, cipher, {
        organizationId,
        at,
        actor: `actor ${number}`,
        channel: 'api',
        action: 'settings.changed',
        about: { kind: 'organization', id: organizationId },
        details: { number, secret: 'a canary' },
      }),
    )
}
const sealAll = async (pool: Pool = world.workerPool) => {
  while ((await sealWaiting({ pool, metrics })) > 0);
}
const fromApi = async (path: string, token = acme.token) => {
  const answer = await world.api.inject({ url: path, headers: { authorization: `Bearer ${token}` } })
  return { status: answer.statusCode, text: answer.body }
}
const written = async (name: string, text: string) => {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}
/** The files that an auditor has: an export of now, and heads and keys of now. */
const exported = async () => written('export.ndjson', (await fromApi('/api/history/export')).text)
const heads = async () => {
  await signDueHeads(world.workerPool, { ring: world.ring.history, intervalSeconds: 0 })
  return written('heads.json', (await fromApi('/api/history/heads')).text)
}
/** Exit code and first words of `tocsin verify`, which runs as a process of its own. */
const verified = async (file: string, ...more: string[]) => {
  const done = await promisify(execFile)(process.execPath, [TOCSIN, 'verify', '--export', file, ...more]).then(
    ({ stdout }) => ({ exitCode: 0, said: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({ exitCode: error.code, said: error.stdout + error.stderr }),
  )
  return done
}
/** As nobody but a superuser can: past grants, policies and triggers. */
const tamper = async (...statements: readonly [sql: string, ...values: unknown[]][]) => {
  const pool = createPool(`${world.database.adminUrl}?options=-c%20search_path%3Dpersistence`, {
    name: 'tamper',
    max: 1,
    log: silent,
  })
  try {
    await queryOf(pool)(`SET session_replication_role = replica`)
    for (const [sql, ...values] of statements) await queryOf(pool)(sql, values)
  } finally {
    await pool.end()
  }
}
const lastSequence = async () => {
  const [row] = await world.admin<{ last: bigint }>(
    'SELECT max(sequence) AS last FROM history_seals WHERE organization_id = $1',
    [acme.organizationId],
  )
  return Number(row?.last ?? 0)
}

describe('an export as it was sealed', () => {
  test('holds, with heads and keys, and says what is not proven yet', async () => {
    await act(3)
    await sealAll()
    const [head, file] = [await heads(), await exported()]
    expect(await verified(file, '--head', head, '--keys', head)).toMatchObject({ exitCode: 0 })
    const { said } = await verified(file, '--head', head, '--keys', head)
    expect(said).toContain('heads compared: 1')
    // The export itself is an act, and came after the last seal.
    expect(said).toContain('not sealed yet, so not proven: 1')
  })

  test('holds also where payloads were erased, and says how many', async () => {
    await act(3)
    const ids = await world.admin<{ id: string }>(
      'SELECT id FROM history WHERE organization_id = $1 ORDER BY position DESC LIMIT 2',
      [acme.organizationId],
    )
    await transaction(world.workerPool, (query) =>
      erasePayloads(
        query,
        acme.organizationId,
        ids.map(({ id }) => id),
      ),
    )
    await sealAll()
    const { exitCode, said } = await verified(await exported())
    expect([exitCode, said]).toEqual([0, expect.stringContaining('payload erased: 2')])
  })
})

describe('what a superuser did to the database is found', () => {
  let end: number
  let head: string
  beforeEach(async () => {
    await act(6)
    await sealAll()
    end = await lastSequence()
    head = await heads()
  })
  const of = (sequence: number) => [acme.organizationId, sequence] as const
  const ENTRY = '(SELECT history_id FROM history_seals WHERE organization_id = $1 AND sequence = $2)'

  test.each<[name: string, statements: () => [sql: string, ...values: unknown[]][], says: string, at: () => number]>([
    [
      'one actor was changed',
      () => [[`UPDATE history SET actor = 'somebody else' WHERE id = ${ENTRY}`, ...of(end - 2)]],
      'not what was sealed',
      () => end - 2,
    ],
    [
      'a payload was replaced by another entry’s',
      () => [
        [
          `UPDATE history_payloads SET payload = (SELECT payload FROM history_payloads WHERE history_id = (SELECT history_id FROM
             history_seals WHERE organization_id = $1 AND sequence = $2 + 1)) WHERE history_id = ${ENTRY}`,
          ...of(end - 3),
        ],
      ],
      'payload is not the one',
      () => end - 3,
    ],
    [
      'an entry was deleted, its seal left',
      () => [[`DELETE FROM history WHERE id = ${ENTRY}`, ...of(end - 1)]],
      'the entry is missing',
      () => end - 1,
    ],
    [
      'an entry was deleted with its seal',
      () => [
        [`DELETE FROM history WHERE id = ${ENTRY}`, ...of(end - 1)],
        ['DELETE FROM history_seals WHERE organization_id = $1 AND sequence = $2', ...of(end - 1)],
      ],
      'the entry is missing',
      () => end - 1,
    ],
    [
      'two entries changed places',
      () => {
        const move = (from: number, to: number): [sql: string, ...values: unknown[]] => [
          'UPDATE history_seals SET sequence = $3 WHERE organization_id = $1 AND sequence = $2',
          ...of(from),
          to,
        ]
        return [move(end - 1, end + 1000), move(end - 2, end - 1), move(end + 1000, end - 2)]
      },
      'does not follow from the one before',
      () => end - 2,
    ],
    [
      'the tail was cut off, which a head tells',
      () => [
        ['DELETE FROM history_seals WHERE organization_id = $1 AND sequence > $2 - 2', ...of(end)],
        [
          'DELETE FROM history h WHERE organization_id = $1 AND NOT EXISTS (SELECT FROM history_seals WHERE history_id = h.id)',
          acme.organizationId,
        ],
      ],
      'its tail is missing',
      () => end,
    ],
    [
      'the tail was cut off and sealed anew, which a head tells',
      () => [
        [`UPDATE history SET actor = 'somebody else' WHERE id = ${ENTRY}`, ...of(end - 1)],
        [
          'INSERT INTO history_unsealed SELECT s.history_id, $1, h.position FROM history_seals s JOIN history h ON h.id = s.history_id WHERE s.organization_id = $1 AND sequence > $2 - 2',
          ...of(end),
        ],
        ['DELETE FROM history_seals WHERE organization_id = $1 AND sequence > $2 - 2', ...of(end)],
      ],
      'the past was written anew',
      () => end,
    ],
  ])('%s', async (_name, statements, says, at) => {
    await tamper(...statements())
    await sealAll()
    const { exitCode, said } = await verified(await exported(), '--head', head, '--keys', head)
    expect([exitCode, said]).toEqual([1, expect.stringContaining(says)])
    expect(said).toContain(`at sequence ${at()}`)
  })

  test('an entry was written in beside the chain', async () => {
    await tamper([
      `INSERT INTO history (id, organization_id, at, actor, channel, action, about_kind, about_id, commitment)
       VALUES (gen_random_uuid(), $1, now() - interval '2 hours', 'nobody', 'api', 'key.revoked', 'key', 'k', decode(repeat('00', 32), 'hex'))`,
      acme.organizationId,
    ])
    const { exitCode, said } = await verified(await exported(), '--head', head)
    expect([exitCode, said]).toEqual([1, expect.stringContaining('waited for its seal for more than an hour')])
  })

  test('a head was signed by another key', async () => {
    const others = JSON.parse((await fromApi('/api/history/heads')).text) as HistoryHeads
    const forged = { ...others, heads: others.heads.map((each) => ({ ...each, sequence: each.sequence - 1 })) }
    const { exitCode, said } = await verified(
      await exported(),
      '--head',
      await written('forged.json', JSON.stringify(forged)),
      '--keys',
      head,
    )
    expect([exitCode, said]).toEqual([1, expect.stringContaining('signature is not one of the keys given')])
  })
})

describe('nobody', () => {
  test.each([
    [`UPDATE history SET actor = 'nobody'`],
    ['DELETE FROM history'],
    [`UPDATE history_seals SET sealed_at = now()`],
    ['DELETE FROM history_seals'],
    ['TRUNCATE history_seals'],
  ])('not even a superuser, may %s by a plain statement', async (sql) => {
    await expect(world.admin(sql)).rejects.toMatchObject({ code: '42501' })
  })

  test('may write a checkpoint that does not lie on the chain', async () => {
    const values = [acme.organizationId, 'ab'.repeat(32)]
    await expect(
      queryOf(world.workerPool)(
        `INSERT INTO history_checkpoints VALUES ($1, 1, decode($2, 'hex'), now(), 'k1', 'signature')`,
        values,
      ),
    ).rejects.toMatchObject({ code: '23514' })
  })
})

describe('two sealers at once', () => {
  test('make one chain without holes of what many write', async () => {
    const other = createPool(world.database.urls.tocsin_worker, { name: 'other', max: 4, log: silent })
    try {
      const writing = Promise.all(Array.from({ length: 8 }, () => act(25)))
      let over = false
      void writing.then(() => {
        over = true
      })
      const seal = async (pool: Pool) => {
        while (!over) await sealWaiting({ pool, metrics })
      }
      await Promise.all([writing, seal(world.workerPool), seal(other)])
      await sealAll()
      expect(await lastSequence()).toBeGreaterThanOrEqual(200)
      expect(await verified(await exported(), '--head', await heads())).toMatchObject({ exitCode: 0 })
    } finally {
      await other.end()
    }
  })
})

describe('retention', () => {
  test('cuts at a signed checkpoint that stays, keeps what is held, and the rest verifies from there', async () => {
    await act(5, '2019-01-01T00:00:00.000Z')
    await act(4)
    await sealAll()
    const before = await lastSequence()
    const early = await heads()
    await tamper([
      `UPDATE history SET at = '2018-01-01' WHERE organization_id = $1 AND at > now() - interval '1 hour' AND action <> 'settings.changed'`,
      acme.organizationId,
    ])
    const { checkpoint, deleted } = await cutHistory(
      { pool: world.workerPool, cipher, ring: world.ring.history },
      { organizationId: acme.organizationId, olderThan: '2020-01-01T00:00:00.000Z', kept: [] },
    )
    expect([checkpoint?.sequence, deleted]).toEqual([before - 4, before - 4])
    await sealAll()
    const { exitCode, said } = await verified(await exported(), '--head', early, '--keys', early)
    expect([exitCode, said]).toEqual([0, expect.stringContaining(`begins after the checkpoint ${before - 4}`)])
    const items = JSON.parse((await fromApi('/api/history?action=history.cut')).text).items as HistoryItem[]
    expect(items).toMatchObject([{ actor: 'system', sealed: true, details: { sequence: before - 4 } }])

    const held = await cutHistory(
      { pool: world.workerPool, cipher, ring: world.ring.history },
      {
        organizationId: acme.organizationId,
        olderThan: new Date(Date.now() + 60_000).toISOString(),
        kept: [acme.organizationId],
      },
    )
    expect(held).toEqual({ checkpoint: null, deleted: 0 })
  })

  test('a round cuts the histories that begin before what their organization keeps, once, and no other', async () => {
    const young = acme
    acme = await world.newOrganization(`Old ${crypto.randomUUID()}`)
    await act(3, '2019-01-01T00:00:00.000Z')
    await act(2)
    await sealAll()
    await tamper([
      `UPDATE history SET at = '2018-01-01' WHERE organization_id = $1 AND action <> 'settings.changed'`,
      acme.organizationId,
    ])
    const retain = () =>
      applyRetention({ pool: world.workerPool, cipher, historyKeys: world.ring.history, onDeleted: async () => {} })
    await retain()
    await retain()
    const cuts = async (token: string) => JSON.parse((await fromApi('/api/history?action=history.cut', token)).text).items.length
    expect([await cuts(acme.token), await cuts(young.token)]).toEqual([1, 0])
    const left = await world.admin<{ at: Date }>('SELECT at FROM history WHERE organization_id = $1', [acme.organizationId])
    expect(left.filter(({ at }) => at < new Date('2020-01-01'))).toEqual([])
    expect(left.length).toBeGreaterThanOrEqual(3)
  })
})

describe('the API', () => {
  test('tells the acts on an alert, with details only to who may read them', async () => {
    const { id } = await world.addAlert(acme.organizationId)
    await world.ask('POST', `/api/alerts/${id}/acknowledge`, acme.token)
    await world.ask('POST', `/api/alerts/${id}/resolve`, acme.token, { notes: 'it was ada herself' })
    await sealAll()
    const viewer = await world.addMember(`viewer@${acme.slug}`, acme.organizationId, 'viewer')
    const seen = async (token: string) => (await world.ask('GET', `/api/alerts/${id}/history`, token)).body.items as HistoryItem[]
    expect(await seen(acme.token)).toMatchObject([
      { action: 'alert.resolved', about: { kind: 'alert', id, version: 2 }, sealed: true, detailsState: 'open' },
      { action: 'alert.acknowledged', about: { version: 1 }, sealed: true, detailsState: 'open' },
    ])
    expect(JSON.stringify(await seen(acme.token))).toContain('ada herself')
    const masked = await seen(viewer)
    expect(masked.map(({ actor, details, detailsState }) => [actor, details, detailsState])).toEqual([
      [`admin@${acme.slug}`, null, 'masked'],
      [`admin@${acme.slug}`, null, 'masked'],
    ])
    expect((await world.ask('GET', '/api/history', viewer)).status).toBe(403)
    expect((await world.ask('GET', '/api/history/export', viewer)).status).toBe(403)
    const stranger = await world.newOrganization('Stranger')
    expect((await world.ask('GET', `/api/alerts/${id}/history`, stranger.token)).status).toBe(404)
  })

  test('filters and pages all acts, newest first, without gap or twin', async () => {
    await act(7)
    await sealAll()
    const paged: HistoryItem[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body } = await world.ask(
        'GET',
        `/api/history?action=settings.changed&limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
        acme.token,
      )
      paged.push(...body.items)
      cursor = body.nextCursor
    }
    expect(paged.map(({ actor }) => actor)).toEqual([6, 5, 4, 3, 2, 1, 0].map((number) => `actor ${number}`))
    const one = await world.ask('GET', `/api/history?actor=${encodeURIComponent('actor 3')}&aboutKind=organization`, acme.token)
    expect(one.body.items).toMatchObject([{ actor: 'actor 3', details: { number: 3 } }])
    expect((await world.ask('GET', '/api/history?to=2020-01-01T00:00:00Z', acme.token)).body.items).toEqual([])
    const stranger = await world.newOrganization('Stranger')
    expect((await world.ask('GET', '/api/history?action=settings.changed', stranger.token)).body.items).toEqual([])
    expect((await world.ask('GET', `/api/history?organizationId=${acme.organizationId}`, stranger.token)).status).toBe(404)
  })
})

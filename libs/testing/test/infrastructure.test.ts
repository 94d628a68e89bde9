import { withConnection } from '@tocsin/postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../src/index.ts'

let database: TestDatabase
let prepared = 0
const template = {
  name: 'testing',
  prepare: async (urls: TestDatabase['urls']) => {
    prepared += 1
    await withConnection(urls.tocsin_owner, async (queries) => {
      await queries('CREATE TABLE persistence.things (id int)')
      await queries('GRANT SELECT ON persistence.things TO tocsin_api')
    })
  },
}

beforeAll(async () => {
  database = await createTestDatabase(template)
})
afterAll(() => database.drop())

it('gives each role its own connection, none of them a superuser', async () => {
  for (const [role, url] of Object.entries(database.urls)) {
    const [row] = await withConnection(url, (queries) =>
      queries('SELECT rolname, rolsuper OR rolbypassrls AS strong FROM pg_roles WHERE rolname = current_user'),
    )
    expect(row).toEqual({ rolname: role, strong: false })
  }
})

it('copies a template that is prepared once', async () => {
  const second = await createTestDatabase(template)
  try {
    const rows = await withConnection(second.urls.tocsin_api, (queries) => queries('SELECT * FROM things'))
    expect(rows).toEqual([])
    expect(prepared).toBe(1)
  } finally {
    await second.drop()
  }
})

it('keeps a role out of the other service’s schema', async () => {
  const read = withConnection(database.urls.tocsin_notifier, (queries) => queries('SELECT * FROM persistence.things'))
  await expect(read).rejects.toThrow('permission denied for schema persistence')
})

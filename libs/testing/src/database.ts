import { createDatabase, databaseUrl, type RoleUrls, roleUrls } from '@tocsin/local'
import { withConnection } from '@tocsin/postgres'
import { testInfrastructure, uniquePrefix } from './infrastructure.ts'

export interface TestDatabase {
  readonly name: string
  /** A connection of each role of the system; never a superuser's. */
  readonly urls: RoleUrls
  /** A superuser's connection to this database, to arrange and to inspect. */
  readonly adminUrl: string
  /** Ends all its connections and removes it. */
  readonly drop: () => Promise<void>
}

export interface Template {
  /** Names what `prepare` makes; the first caller of a run prepares it, the others copy. */
  readonly name: string
  /** Fills the template, for example with the tables of a service. It must close all its connections. */
  readonly prepare: (urls: RoleUrls) => Promise<void>
}

/** A database of its own with roles and schemas as in an installation and, with `template`, its tables. */
export async function createTestDatabase(template?: Template): Promise<TestDatabase> {
  const { databaseAdminUrl } = testInfrastructure()
  const name = uniquePrefix('test_').replaceAll('-', '')
  if (template) {
    const source = await preparedTemplate(databaseAdminUrl, template)
    await withConnection(databaseAdminUrl, async (queries) => {
      await queries(`SELECT pg_advisory_lock_shared(hashtext($1))`, [source])
      await queries(`CREATE DATABASE "${name}" TEMPLATE "${source}"`)
    })
  }
  // After a copy this grants what belongs to the database itself, which a template does not carry over.
  const urls = await createDatabase(databaseAdminUrl, name)
  return {
    name,
    urls,
    adminUrl: databaseUrl(databaseAdminUrl, name),
    drop: () =>
      withConnection(databaseAdminUrl, async (queries) => void (await queries(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`))),
  }
}

async function preparedTemplate(adminUrl: string, template: Template): Promise<string> {
  // The run's id keeps templates of different checkouts apart on a shared server.
  const source = `template_${process.env['TOCSIN_TEST_RUN'] ?? process.ppid}_${template.name}`.replaceAll(/[^a-z0-9_]/g, '_')
  await withConnection(adminUrl, async (queries) => {
    await queries('SELECT pg_advisory_lock(hashtext($1))', [source])
    const ready = await queries(`SELECT 1 FROM pg_database d JOIN pg_shdescription s ON s.objoid = d.oid WHERE d.datname = $1`, [
      source,
    ])
    if (ready.length > 0) return
    await queries(`DROP DATABASE IF EXISTS "${source}" WITH (FORCE)`)
    await createDatabase(adminUrl, source)
    await template.prepare(roleUrls(adminUrl, source))
    // The comment says that preparing came to its end.
    await queries(`COMMENT ON DATABASE "${source}" IS 'prepared'`)
  })
  return source
}

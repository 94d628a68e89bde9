/**
 * The database of an installation: its roles and schemas. Idempotent, and safe when several starts do it at once.
 *
 * 1. No role of a service is a superuser or bypasses row-level security; only tocsin_owner owns anything.
 * 2. A role's password is derived from the admin's, so that starts and tests which share a server agree without talking to each
 *    other.
 */
import { createHmac } from 'node:crypto'
import { type Queries, withConnection } from '@tocsin/postgres'

export const ROLES = ['tocsin_owner', 'tocsin_api', 'tocsin_worker', 'tocsin_notifier', 'tocsin_reader'] as const
export type Role = (typeof ROLES)[number]

/** Where a role finds its tables without naming a schema. The owner names schemas, because it migrates both. */
const SEARCH_PATHS: Record<Role, string> = {
  tocsin_owner: 'public',
  tocsin_api: 'persistence',
  tocsin_worker: 'persistence',
  tocsin_notifier: 'notifier',
  tocsin_reader: 'persistence, notifier',
}

const SCHEMA_READERS: Record<string, readonly Role[]> = {
  persistence: ['tocsin_api', 'tocsin_worker', 'tocsin_reader'],
  notifier: ['tocsin_notifier', 'tocsin_reader'],
}

/** A connection URL of each role to one database. */
export type RoleUrls = Record<Role, string>

/** `adminUrl`: a connection of a role that may create roles and databases, to any database of the server. */
export async function createDatabase(adminUrl: string, database: string): Promise<RoleUrls> {
  await withConnection(adminUrl, async (queries) => {
    await createRoles(queries, adminUrl)
    const found = await queries('SELECT 1 FROM pg_database WHERE datname = $1', [database])
    if (found.length === 0) await queries(`CREATE DATABASE ${quoted(database)}`).catch(unlessMadeMeanwhile)
  })
  await withConnection(databaseUrl(adminUrl, database), createSchemas)
  return roleUrls(adminUrl, database)
}

export function roleUrls(adminUrl: string, database: string): RoleUrls {
  const url = (role: Role) => {
    const address = new URL(databaseUrl(adminUrl, database))
    address.username = role
    address.password = rolePassword(adminUrl, role)
    return address.href
  }
  return Object.fromEntries(ROLES.map((role) => [role, url(role)])) as RoleUrls
}

export function databaseUrl(url: string, database: string): string {
  const address = new URL(url)
  address.pathname = `/${encodeURIComponent(database)}`
  return address.href
}

async function createRoles(queries: Queries, adminUrl: string): Promise<void> {
  // Held until the connection ends: ALTER ROLE by two sessions at once fails with "tuple concurrently updated".
  await queries(`SELECT pg_advisory_lock(hashtext('tocsin roles'))`)
  for (const role of ROLES) {
    const found = await queries('SELECT 1 FROM pg_roles WHERE rolname = $1', [role])
    if (found.length === 0) await queries(`CREATE ROLE ${role} LOGIN`)
    await queries(`ALTER ROLE ${role} WITH LOGIN NOCREATEDB NOCREATEROLE PASSWORD ${literal(rolePassword(adminUrl, role))}`)
    await queries(`ALTER ROLE ${role} SET search_path = ${SEARCH_PATHS[role]}`)
  }
  const dangerous = await queries('SELECT rolname FROM pg_roles WHERE rolname = ANY($1) AND (rolsuper OR rolbypassrls)', [ROLES])
  if (dangerous.length > 0) {
    const names = dangerous.map((row) => row['rolname']).join(', ')
    throw new Error(`the database roles ${names} are superusers or bypass row-level security: they must not`)
  }
  // A superuser may act as any role; somebody else's admin role (a hosted server) must be a member first.
  const [me] = await queries('SELECT rolsuper FROM pg_roles WHERE rolname = current_user')
  if (me?.['rolsuper'] !== true) await queries('GRANT tocsin_owner TO CURRENT_USER')
}

async function createSchemas(queries: Queries): Promise<void> {
  await queries(`SELECT pg_advisory_lock(hashtext('tocsin schemas'))`)
  const [row] = await queries('SELECT quote_ident(current_database()) AS name')
  await queries(`REVOKE ALL ON DATABASE ${row?.['name']} FROM PUBLIC`)
  await queries(`GRANT CONNECT ON DATABASE ${row?.['name']} TO ${ROLES.join(', ')}`)
  await queries(`GRANT CREATE, TEMPORARY ON DATABASE ${row?.['name']} TO tocsin_owner`)
  await queries('REVOKE ALL ON SCHEMA public FROM PUBLIC')
  for (const [schema, readers] of Object.entries(SCHEMA_READERS)) {
    await queries(`CREATE SCHEMA IF NOT EXISTS ${schema} AUTHORIZATION tocsin_owner`)
    await queries(`GRANT USAGE ON SCHEMA ${schema} TO ${readers.join(', ')}`)
  }
}

/** Guarantee 2. */
function rolePassword(adminUrl: string, role: Role): string {
  return createHmac('sha256', decodeURIComponent(new URL(adminUrl).password))
    .update(role)
    .digest('base64url')
}

function unlessMadeMeanwhile(error: unknown): never[] {
  // 42P04 duplicate_database; 23505 when two CREATE DATABASE met.
  if (['42P04', '23505'].includes((error as { code?: string }).code ?? '')) return []
  throw error
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}

/** Only for texts made here (base64url): a utility statement takes no parameters. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

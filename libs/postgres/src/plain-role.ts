import { TerminalError } from '@tocsin/errors'
import { type Pool, queryOf } from './pool.ts'

const ROLE_SQL = `
SELECT r.rolname AS name, r.rolsuper AS superuser, r.rolbypassrls AS bypasses,
       ARRAY(SELECT n.nspname::text FROM pg_namespace n
              WHERE pg_has_role(r.oid, n.nspowner, 'USAGE') AND n.nspname !~ '^(pg_|information_schema)') AS owns
  FROM pg_roles r WHERE r.rolname = current_user`

/**
 * Throws TerminalError (TOCSIN_ROLE_TOO_STRONG) when the pool's role is superuser, may bypass row-level security or owns a
 * schema: each of them passes forced policies or could switch them off (security.md §3).
 */
export async function assertPlainRole(pool: Pool): Promise<void> {
  const [role] = await queryOf(pool)<{ name: string; superuser: boolean; bypasses: boolean; owns: string[] }>(ROLE_SQL)
  if (role === undefined) throw new TerminalError('The database role is unknown', { code: 'TOCSIN_ROLE_TOO_STRONG' })
  const why = role.superuser
    ? 'is superuser'
    : role.bypasses
      ? 'has BYPASSRLS'
      : role.owns.length > 0
        ? `owns schema ${role.owns.join(', ')}`
        : null
  if (why !== null)
    throw new TerminalError(`The database role ${role.name} ${why}: a service must use a role of its own without it`, {
      code: 'TOCSIN_ROLE_TOO_STRONG',
    })
}

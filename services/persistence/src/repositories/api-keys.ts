import type { KeyScope } from '@tocsin/contracts'
import { inOrganization, type Pool } from '@tocsin/postgres'
import { FIND_KEY, SET_KEY_HASH } from '../sql/key-sql.ts'

/** A live key, as whoever holds it is known by it. */
export interface FoundKey {
  readonly id: string
  readonly organizationId: string
  readonly scopes: readonly KeyScope[]
}

/** null: there is no such key, or it has ended. `pool`: of tocsin_api; the hash is what lets it see the row. */
export const findKey = (pool: Pool, hash: string): Promise<FoundKey | null> =>
  inOrganization(
    pool,
    null,
    async (query) => {
      await query(SET_KEY_HASH, [hash])
      const [row] = await query<{ id: string; organization_id: string; scopes: KeyScope[] }>(FIND_KEY, [hash])
      return row === undefined ? null : { id: row.id, organizationId: row.organization_id, scopes: row.scopes }
    },
    'snapshot',
  )

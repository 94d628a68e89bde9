import { randomUUID } from 'node:crypto'
import { generateKey, hashKey } from '@tocsin/access'
import type { ApiKey, ApiKeyCreated, KeyScope } from '@tocsin/contracts'
import { inOrganization, type Pool, type Query } from '@tocsin/postgres'
import { ADD_KEY, FIND_KEY, GET_KEY, LIST_KEYS, SET_KEY_HASH } from '../sql/key-sql.ts'

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

interface KeyRow {
  readonly id: string
  readonly name: string
  readonly scopes: KeyScope[]
  readonly source: string | null
  readonly created_at: Date
  readonly created_by: string
  readonly expires_at: Date | null
}

/** `lastUsedAt` is not in the database: see key-use.ts of libs/redis. */
const keyOf = ({ id, name, scopes, source, created_at, created_by, expires_at }: KeyRow): ApiKey => ({
  id,
  name,
  scopes,
  source,
  createdAt: created_at.toISOString(),
  createdBy: created_by,
  expiresAt: expires_at?.toISOString() ?? null,
  lastUsedAt: null,
})

/** Live ones, the oldest first. */
export const listKeys = async (query: Query, organizationId: string): Promise<ApiKey[]> =>
  (await query<KeyRow>(LIST_KEYS, [organizationId])).map(keyOf)

/** null: there is none that is live. */
export async function readKey(query: Query, organizationId: string, id: string): Promise<ApiKey | null> {
  const [row] = await query<KeyRow>(GET_KEY, [organizationId, id])
  return row === undefined ? null : keyOf(row)
}

/** A new key; the text is nowhere else than in what this returns. */
export async function addKey(
  query: Query,
  organizationId: string,
  wanted: {
    readonly name: string
    readonly scopes: readonly KeyScope[]
    readonly source: string | null
    readonly createdBy: string
  },
): Promise<ApiKeyCreated> {
  const key = generateKey()
  const { name, scopes, source, createdBy } = wanted
  const [row] = await query<KeyRow>(ADD_KEY, [randomUUID(), organizationId, hashKey(key), scopes, name, source, createdBy])
  if (row === undefined) throw new Error('an inserted key was not returned')
  return { ...keyOf(row), key }
}

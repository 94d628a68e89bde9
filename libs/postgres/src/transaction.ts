import type { PoolClient } from 'pg'
import { type Pool, type Query, queryOf } from './pool.ts'
import { asDatabaseError, isTransient } from './sqlstate.ts'

/** `snapshot`: every statement sees the same state (repeatable read), read only. */
export type TransactionMode = 'write' | 'snapshot'
const BEGIN: Readonly<Record<TransactionMode, string>> = {
  write: 'BEGIN',
  snapshot: 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY',
}

/** Runs `work` in one transaction: all of it or nothing. Rejects with what `work` threw, or RetryableError. */
export async function transaction<T>(
  pool: Pool,
  work: (query: Query) => Promise<T>,
  mode: TransactionMode = 'write',
): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw asDatabaseError(error)
  })
  let broken: Error | undefined
  // A checked-out client that breaks between two statements emits this; the next statement then fails by itself.
  const onError = (error: Error) => {
    broken = error
  }
  client.on('error', onError)
  const release = () => {
    client.removeListener('error', onError)
    // A connection in an unknown state is closed instead of being given to the next one.
    client.release(broken)
  }
  let result: T
  try {
    const query = queryOf(client)
    await query(BEGIN[mode])
    result = await work(query)
    if (mode === 'write') await query('COMMIT')
  } catch (error) {
    broken ??= await rollback(client, error)
    release()
    throw error
  }
  if (mode === 'write') release()
  else
    void endOf(client).then((failure) => {
      broken ??= failure
      release()
    })
  return result
}

/** Of what only read: whoever reads need not wait for it. Resolves with why it failed. */
const endOf = (client: PoolClient): Promise<Error | undefined> =>
  client.query('COMMIT').then(
    () => undefined,
    (failure: Error) => failure,
  )

async function rollback(client: PoolClient, error: unknown): Promise<Error | undefined> {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  if (isTransient(cause) && !hasServerSeverity(cause)) return cause as Error
  try {
    await client.query('ROLLBACK')
    return undefined
  } catch (failure) {
    return failure as Error
  }
}

/** The server itself answered, so the connection still works. */
const hasServerSeverity = (error: unknown) => error instanceof Error && (error as { severity?: unknown }).severity === 'ERROR'

/**
 * As `transaction`, with row-level security bound to one organization; the setting ends with the transaction, so that the
 * next user of the connection cannot inherit it. `null`: none, so no row of any organization is seen. `settings`: further ones for as long.
 */
export const inOrganization = <T>(
  pool: Pool,
  organizationId: string | null,
  work: (query: Query) => Promise<T>,
  mode: TransactionMode = 'write',
  settings: Readonly<Record<string, string>> = {},
): Promise<T> =>
  transaction(
    pool,
    async (query) => {
      await query(SET_FOR_TRANSACTION, [JSON.stringify({ ...settings, 'app.organization': organizationId ?? '' })])
      return work(query)
    },
    mode,
  )

/** $1: JSON of name to value. In one statement: each costs a way to the server and back. */
const SET_FOR_TRANSACTION = 'SELECT set_config(key, value, true) FROM jsonb_each_text($1::jsonb)'

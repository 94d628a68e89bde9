import type { PoolClient } from 'pg'
import { type Pool, type Query, queryOf } from './pool.ts'
import { asDatabaseError, isTransient } from './sqlstate.ts'

/** `snapshot`: every statement sees the same state (repeatable read), read only. */
export type TransactionMode = 'write' | 'snapshot'
const BEGIN: Readonly<Record<TransactionMode, string>> = {
  write: 'BEGIN',
  snapshot: 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY',
}

/** Of the server, to the transaction's end: by name. */
type Settings = Readonly<Record<string, string>>

/**
 * Runs `work` in one transaction: all of it or nothing. Rejects with what `work` threw, or RetryableError. Statements that do not need each
 * other's rows may be asked for at once: they go to the server together and are done one after the other. None is done after `work` has ended.
 */
export const transaction = <T>(pool: Pool, work: (query: Query) => Promise<T>, mode: TransactionMode = 'write'): Promise<T> =>
  transactionWith(pool, work, mode, null)

/**
 * As `transaction`, with row-level security bound to one organization; the setting ends with the transaction, so that the
 * next user of the connection cannot inherit it. `null`: none, so no row of any organization is seen. `settings`: further ones for as long.
 */
export const inOrganization = <T>(
  pool: Pool,
  organizationId: string | null,
  work: (query: Query) => Promise<T>,
  mode: TransactionMode = 'write',
  settings: Settings = {},
): Promise<T> => transactionWith(pool, work, mode, { ...settings, 'app.organization': organizationId ?? '' })

async function transactionWith<T>(
  pool: Pool,
  work: (query: Query) => Promise<T>,
  mode: TransactionMode,
  settings: Settings | null,
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
  const ask = queryOf(client)
  let isOver = false
  let failure: unknown
  const query: Query = async (text, values) => {
    // Of two things done at once one may fail while the other still has something to ask, on a connection that has another user by then.
    if (isOver) throw new Error('the transaction is over')
    try {
      return await ask(text, values)
    } catch (error) {
      // What was asked for behind it fails only because of it.
      failure ??= error
      throw failure
    }
  }
  let result: T
  try {
    const begun = begin(query, mode, settings)
    // Nothing is changed outside of a transaction; reading need not wait, because where it did not begin what was read is thrown away.
    if (mode === 'write') await begun
    ;[result] = await Promise.all([work(query), begun])
    isOver = true
    if (mode === 'write') await ask('COMMIT')
  } catch (error) {
    isOver = true
    broken ??= await rollback(client, error)
    release()
    throw error
  }
  if (mode === 'write') release()
  else
    void endOf(client).then((unended) => {
      broken ??= unended
      release()
    })
  return result
}

const begin = (query: Query, mode: TransactionMode, settings: Settings | null): Promise<unknown> =>
  Promise.all([query(BEGIN[mode]), ...(settings === null ? [] : [query(SET_FOR_TRANSACTION, [JSON.stringify(settings)])])])

/** $1: JSON of name to value. */
const SET_FOR_TRANSACTION = 'SELECT set_config(key, value, true) FROM jsonb_each_text($1::jsonb)'

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

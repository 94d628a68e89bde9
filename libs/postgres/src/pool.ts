import pg from 'pg'
import type { Logger } from 'pino'
import { asDatabaseError } from './sqlstate.ts'

/** A dead host answers nothing: give up and take another connection (milliseconds each). */
const CONNECT_TIMEOUT_MS = 3_000
const STATEMENT_TIMEOUT_MS = 8_000
/** Above the server's own timeout, so that the server names the reason where it still can. */
const QUERY_TIMEOUT_MS = 10_000
const IDLE_IN_TRANSACTION_MS = 15_000
const IDLE_MS = 30_000

export type Pool = pg.Pool
/** One statement; every value bound. Rejects with RetryableError where trying again can help. */
export type Query = <Row = Record<string, unknown>>(text: string, values?: readonly unknown[]) => Promise<Row[]>

/** int8 as bigint (offsets, versions past 2^53), the rest as `pg` does. */
const types = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8
      ? (text: string) => BigInt(text)
      : format === 'binary'
        ? pg.types.getTypeParser(oid, 'binary')
        : pg.types.getTypeParser(oid, 'text')) as typeof pg.types.getTypeParser,
}

/** Of every connection that a service holds. */
export const SESSION_OPTIONS = {
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  statement_timeout: STATEMENT_TIMEOUT_MS,
  query_timeout: QUERY_TIMEOUT_MS,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  keepAlive: true,
  types,
}

/**
 * A pool whose connections give up on a silent server. `max` connections; `name` shows in pg_stat_activity. Rows: `int8` is
 * bigint, times are Date, `numeric` is text.
 */
export function createPool(url: string, options: { readonly name: string; readonly max: number; readonly log: Logger }): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max,
    application_name: options.name,
    idleTimeoutMillis: IDLE_MS,
    // What a transaction asks at once goes to the server at once.
    pipeline: true,
    ...SESSION_OPTIONS,
  })
  // An idle connection that breaks is replaced at the next use; without a listener it would end the process.
  pool.on('error', (error) => options.log.warn({ err: error, pool: options.name }, 'idle database connection lost'))
  return pool
}

/** A single statement outside a transaction. */
export const queryOf =
  (queryable: { query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }> }): Query =>
  async <Row>(text: string, values: readonly unknown[] = []) => {
    try {
      return (await queryable.query(text, [...values])).rows as Row[]
    } catch (error) {
      throw asDatabaseError(error)
    }
  }

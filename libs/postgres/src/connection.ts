/** One connection for a few statements: the local start, tests. Services use a pool. */
import pg from 'pg'

const CONNECT_LIMIT_MS = 3_000

/** One statement after the other on one connection; values are bound. Resolves with the rows. */
export type Queries = (text: string, values?: readonly unknown[]) => Promise<Record<string, unknown>[]>

/** Opens a connection for `work` and closes it, also when that rejects. Rejects with pg's own errors. */
export async function withConnection<T>(url: string, work: (queries: Queries) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    application_name: 'tocsin',
  })
  // A connection that breaks while idle is found by the next statement; without a listener it would end this process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(async (text, values) => (await client.query(text, values as unknown[])).rows)
  } finally {
    await client.end()
  }
}

/** True when the server answers a query; rejects when it does not. */
export async function databaseAnswers(url: string): Promise<boolean> {
  return await withConnection(url, async (queries) => (await queries('SELECT 1 AS one')).length === 1)
}

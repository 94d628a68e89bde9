/** One connection for a few statements of the local start. */
import pg from 'pg'

const CONNECT_LIMIT_MS = 3_000

export type Queries = (text: string, values?: readonly unknown[]) => Promise<Record<string, unknown>[]>

export async function withConnection<T>(url: string, work: (queries: Queries) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    application_name: 'tocsin-local',
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

/** True when the server answers a query. */
export async function databaseAnswers(url: string): Promise<boolean> {
  return await withConnection(url, async (queries) => (await queries('SELECT 1 AS one')).length === 1)
}

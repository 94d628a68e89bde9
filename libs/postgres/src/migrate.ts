import { runner } from 'node-pg-migrate'
import pg from 'pg'
import type { Logger } from 'pino'
import { asDatabaseError } from './sqlstate.ts'

const TABLE = 'migrations'
const CONNECT_TIMEOUT_MS = 3_000

/**
 * Brings `schema` up to date with the plain .sql files of `directory` (forward only, all pending ones in one transaction)
 * and resolves with the names of those that were run. Of two that start at once, one waits for the other. Rejects with
 * RetryableError while PostgreSQL is away.
 */
export async function migrate(
  ownerUrl: string,
  options: { readonly directory: string; readonly schema: string; readonly log: Logger },
): Promise<string[]> {
  const client = new pg.Client({
    connectionString: ownerUrl,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: `migrate ${options.schema}`,
  })
  client.on('error', (error) => options.log.warn({ err: error }, 'migration connection lost'))
  try {
    await client.connect()
    const done = await runner({
      dbClient: client,
      dir: options.directory,
      schema: options.schema,
      migrationsSchema: options.schema,
      migrationsTable: TABLE,
      direction: 'up',
      checkOrder: true,
      singleTransaction: true,
      advisoryLockMode: 'wait',
      logger: {
        debug: () => {},
        info: () => {},
        warn: (message) => options.log.warn({ message }, 'migration'),
        error: (message) => options.log.error({ message }, 'migration'),
      },
    })
    const names = done.map((each) => each.name)
    if (names.length > 0) options.log.info({ schema: options.schema, migrations: names }, 'migrations applied')
    return names
  } catch (error) {
    throw asDatabaseError(error)
  } finally {
    await client.end().catch(() => {})
  }
}

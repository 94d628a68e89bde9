import { createHash } from 'node:crypto'
import { type Queries, withConnection } from '@tocsin/postgres'
import { INDEX_STATEMENTS, SEED_ALERTS, SEED_ORGANIZATIONS, SEED_SUBJECTS } from './seed-sql.ts'

const ROWS_A_STATEMENT = 50_000
/** As many as there are cores of the machine that the figures are for. */
const WRITERS = 2
export const ORGANIZATIONS = 200
/** Every 25th alert is of the first of them, every fifth of the second. */
export const LARGE = { statistics: 0, export: 1 } as const

export const organizationIdOf = (number: number): string =>
  createHash('md5')
    .update(`organization ${number}`)
    .digest('hex')
    .replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5')

export const subjectOf = (organization: number): string => `bench-${organization}@localhost`

/** Rows first, then the indexes: several times faster than with them. */
export async function seedAlerts(adminUrl: string, alerts: number, say: (line: string) => void): Promise<void> {
  const indexes = await withConnection(adminUrl, async (queries) => {
    await queries(SEED_ORGANIZATIONS, [ORGANIZATIONS])
    await queries(SEED_SUBJECTS, [ORGANIZATIONS])
    const found = await queries(INDEX_STATEMENTS)
    for (const { drop } of found) await queries(String(drop))
    return found.map(({ create }) => String(create))
  })
  let next = 1
  const write = (queries: Queries) => async () => {
    await queries('SET synchronous_commit = off')
    while (next <= alerts) {
      const from = next
      next += ROWS_A_STATEMENT
      await queries(SEED_ALERTS, [from, Math.min(from + ROWS_A_STATEMENT - 1, alerts), ORGANIZATIONS])
      if (next % 500_000 === 1) say(`${(next - 1).toLocaleString('en-US')} of ${alerts.toLocaleString('en-US')} alerts made`)
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, () => withConnection(adminUrl, (queries) => write(queries)())))
  await withConnection(adminUrl, async (queries) => {
    await queries(`SET maintenance_work_mem = '1GB'`)
    for (const create of indexes) {
      await queries(create)
      say(`${/INDEX (\w+)/.exec(create)?.[1]} made`)
    }
    await queries('VACUUM (ANALYZE) alerts')
  })
}

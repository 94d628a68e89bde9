import { createHash, randomBytes } from 'node:crypto'
import { type Queries, withConnection } from '@tocsin/postgres'
import type { FieldCipher } from '../../../services/persistence/src/protection/field-cipher.ts'
import { alertField } from '../../../services/persistence/src/repositories/alert-row.ts'
import { INDEX_STATEMENTS, SEED_ALERTS, SEED_ORGANIZATIONS, SEED_SUBJECTS } from './seed-sql.ts'

const ROWS_A_STATEMENT = 10_000
const NOTE_LETTERS = 900
/** As many as there are cores of the machine that the figures are for. */
const WRITERS = 2
export const ORGANIZATIONS = 200
/** Every 25th alert is of the first of them, every fifth of the second. */
export const LARGE = { statistics: 0, export: 1 } as const

/** As PostgreSQL makes a uuid of an md5. */
const uuidOf = (text: string): string =>
  createHash('md5')
    .update(text)
    .digest('hex')
    .replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5')

export const organizationIdOf = (number: number): string => uuidOf(`organization ${number}`)

/** As SEED_ALERTS says it in SQL. */
const organizationOf = (alert: number): number => (alert % 5 === 0 ? 1 : alert % 25 === 1 ? 0 : 2 + (alert % (ORGANIZATIONS - 2)))

export const subjectOf = (organization: number): string => `bench-${organization}@localhost`

/** Rows first, then the indexes: several times faster than with them. */
export async function seedAlerts(
  adminUrl: string,
  cipher: FieldCipher,
  alerts: number,
  say: (line: string) => void,
): Promise<void> {
  const indexes = await withConnection(adminUrl, async (queries) => {
    await queries(SEED_ORGANIZATIONS, [ORGANIZATIONS])
    await queries(SEED_SUBJECTS, [ORGANIZATIONS])
    const found = await queries(INDEX_STATEMENTS)
    for (const { drop } of found) await queries(String(drop))
    return found.map(({ create }) => String(create))
  })
  const organizations = Array.from({ length: ORGANIZATIONS }, (_, number) => organizationIdOf(number))
  await cipher.load(organizations)
  const noise = randomBytes(100_000).toString('base64')
  const sealedMetadata = (alert: number): string => {
    const place = alertField(organizations[organizationOf(alert)] ?? '', uuidOf(`alert ${alert}`), 'metadata')
    const from = (alert * 37) % (noise.length - NOTE_LETTERS)
    return cipher.seal(place, JSON.stringify({ note: noise.slice(from, from + NOTE_LETTERS) })).toString('base64')
  }
  let next = 1
  const write = (queries: Queries) => async () => {
    await queries('SET synchronous_commit = off')
    while (next <= alerts) {
      const from = next
      next += ROWS_A_STATEMENT
      const to = Math.min(from + ROWS_A_STATEMENT - 1, alerts)
      const metadata = Array.from({ length: to - from + 1 }, (_, place) => sealedMetadata(from + place))
      await queries(SEED_ALERTS, [from, ORGANIZATIONS, metadata, alerts])
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

import { type Pool, transaction } from '@tocsin/postgres'
import { readAccessRecord } from './repositories/access.ts'
import { accessRecord, addToOutbox } from './repositories/outbox.ts'
import { MAKE_OPERATOR } from './sql/organization-sql.ts'

/** Makes a subject operator of the installation; false when it was one before. */
export const makeOperator = (pool: Pool, subject: string): Promise<boolean> =>
  transaction(pool, async (query) => {
    if ((await query(MAKE_OPERATOR, [subject])).length === 0) return false
    await addToOutbox(query, [accessRecord(await readAccessRecord(query, subject), null)])
    return true
  })

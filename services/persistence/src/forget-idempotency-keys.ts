import { type Pool, queryOf } from '@tocsin/postgres'
import { FORGET_KEYS } from './sql/idempotency-sql.ts'

/** In one statement, so that locks are short. */
const MAX_KEYS = 1_000

/** One round: removes keys that are older than their time. `pool`: of role tocsin_worker. */
export async function forgetIdempotencyKeys(pool: Pool): Promise<'more' | 'done'> {
  const forgotten = await queryOf(pool)(FORGET_KEYS, [MAX_KEYS])
  return forgotten.length === MAX_KEYS ? 'more' : 'done'
}

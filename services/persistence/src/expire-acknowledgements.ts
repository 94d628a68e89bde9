/**
 * Acknowledgements that are over: the alert is active again, as `system`, with history and record like any act.
 *
 * 1. PostgreSQL's clock decides, and rows that another instance holds are passed over: instances share the work and nothing is done twice.
 * 2. When it is over was fixed when somebody acknowledged; a later change of the settings counts for later acknowledgements.
 * 3. An organization whose round fails holds up no other.
 */
import { type Pool, queryOf, transaction } from '@tocsin/postgres'
import { actOnAlert } from './act-on-alert.ts'
import type { AnswerCache } from './answer-cache.ts'
import { SYSTEM } from './core/status-change.ts'
import type { FieldCipher } from './protection/field-cipher.ts'
import { readOrganization } from './repositories/organizations.ts'
import { DUE_ORGANIZATIONS, LOCK_DUE_ALERTS } from './sql/expiry-sql.ts'

const MAX_ORGANIZATIONS = 50
/** In one transaction, so that locks are short. */
const MAX_ALERTS = 50

export interface ExpiryOptions {
  /** Of role tocsin_worker. */
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly cache: AnswerCache
}

/** One round. Rejects with the first failure after all organizations had their turn. */
export async function expireAcknowledgements(options: ExpiryOptions): Promise<'more' | 'done'> {
  const due = await queryOf(options.pool)<{ organization_id: string }>(DUE_ORGANIZATIONS, [MAX_ORGANIZATIONS])
  let isMore = due.length === MAX_ORGANIZATIONS
  const failures: unknown[] = []
  for (const { organization_id: organizationId } of due) {
    try {
      isMore = (await expireIn(options, organizationId)) === MAX_ALERTS || isMore
      await options.cache.changed([organizationId])
    } catch (error) {
      failures.push(error) // (3)
    }
  }
  if (failures.length > 0) throw failures[0]
  return isMore ? 'more' : 'done'
}

async function expireIn({ pool, cipher }: ExpiryOptions, organizationId: string): Promise<number> {
  if ((await cipher.loadLiving([organizationId])).size > 0) return 0
  return transaction(pool, async (query) => {
    const organization = await readOrganization(query, organizationId)
    if (organization === null) return 0
    const rows = await query<{ id: string; now: Date }>(LOCK_DUE_ALERTS, [organizationId, MAX_ALERTS])
    for (const { id, now } of rows) {
      const actor = { subject: SYSTEM, channel: 'system', now: now.getTime() } as const
      await actOnAlert(query, cipher, { organization, id, command: { action: 'unacknowledge' }, actor })
    }
    return rows.length
  })
}

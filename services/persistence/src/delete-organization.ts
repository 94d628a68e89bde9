/**
 * Ends an organization, in one transaction: its data key is destroyed, so that nothing of it opens again; its people and keys are out; the
 * others are told. Its rows go afterwards (protection/removal.ts).
 *
 * 1. From the commit on every route answers as if it had never been: the policies of tocsin_api hide it.
 * 2. Whoever changes it at the same time holds its row or its rules first, or finds it gone: nothing is published of it after the tombstones.
 * 3. What cannot be done twice or undone is one function of the database, which asks for the operator itself.
 */
import type { ActChannel, OrganizationDeletion } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { inOrganization, type Pool } from '@tocsin/postgres'
import type { FieldCipher } from './protection/field-cipher.ts'
import { endMembership } from './repositories/access.ts'
import { readDeletion } from './repositories/deletions.ts'
import { addHistory } from './repositories/history.ts'
import { listMembers } from './repositories/members.ts'
import { type OrganizationState, readOrganization } from './repositories/organizations.ts'
import { addToOutbox, organizationDeletedRecords } from './repositories/outbox.ts'
import { lockRules } from './repositories/rules.ts'
import { DELETE_ORGANIZATION, HOLD_IN_FORCE, OWN_RULES, REVOKE_KEYS } from './sql/deletion-sql.ts'
import { SET_SUBJECT } from './sql/member-sql.ts'

export interface WantedDeletion {
  readonly organizationId: string
  /** Its slug, so that nobody deletes another one than meant. */
  readonly confirm: string
  readonly reason: string
  /** An operator. */
  readonly actor: string
  readonly channel: ActChannel
  readonly ip: string
}

/** null: there is no such organization. Throws HttpProblem 422 for a wrong confirmation, 409 that names a legal hold in force. */
export async function deleteOrganization(
  { pool, cipher }: { readonly pool: Pool; readonly cipher: FieldCipher },
  wanted: WantedDeletion,
): Promise<OrganizationDeletion | null> {
  const { organizationId, actor, channel, ip, reason } = wanted
  const there = await inOrganization(pool, organizationId, (query) => readOrganization(query, organizationId), 'snapshot')
  // Before a data key would be made for an organization that there is not.
  if (there === null) return null
  await cipher.load([organizationId])
  const deletion = await inOrganization(pool, organizationId, async (query) => {
    const state = await readOrganization(query, organizationId, true) // (2)
    if (state === null) return null
    await lockRules(query, organizationId)
    refuseOther(state, wanted.confirm)
    const [hold] = await query<{ id: string }>(HOLD_IN_FORCE, [organizationId])
    if (hold !== undefined) throw held(hold.id)
    await addHistory(query, cipher, {
      organizationId,
      at: new Date().toISOString(),
      actor,
      channel,
      ip,
      action: 'organization.deleted',
      about: { kind: 'organization', id: organizationId, version: state.version + 1 },
      details: { reason },
    })
    const rules = await query<{ rule_id: string }>(OWN_RULES, [organizationId])
    const ruleIds = rules.map((rule) => rule.rule_id)
    await addToOutbox(query, organizationDeletedRecords(organizationId, state.partition, ruleIds))
    for (const { subject } of await listMembers(query, organizationId)) await endMembership(query, subject, organizationId)
    await query(REVOKE_KEYS, [organizationId])
    await query(SET_SUBJECT, [actor])
    await query(DELETE_ORGANIZATION, [organizationId, reason, channel]) // (3)
    return readDeletion(query, organizationId)
  })
  cipher.forget(organizationId)
  return deletion
}

function refuseOther({ slug }: OrganizationState, confirm: string): void {
  if (slug !== confirm)
    throw new HttpProblem(
      422,
      'NOT_CONFIRMED',
      'confirm is not the slug of this organization. Look whether it is the one you mean, and give its slug.',
    )
}

const held = (holdId: string) =>
  new HttpProblem(409, 'LEGAL_HOLD', `Legal hold ${holdId} is in force. Its admin must release it before anything is deleted.`, {
    extra: { holdId },
  })

import type { OrganizationLimits, OrganizationList, OrganizationSettings, Recipients, TenantRecord } from '@tocsin/contracts'
import type { Query } from '@tocsin/postgres'
import { GET_KEY_HASHES } from '../sql/key-sql.ts'
import { CHANGE_ORGANIZATION, GET_ORGANIZATION, LIST_ORGANIZATIONS, LOCK_ORGANIZATION } from '../sql/organization-sql.ts'
import { addToOutbox, tenantRecords } from './outbox.ts'

interface OrganizationRow {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly version: number
  readonly partition: number
  readonly settings: OrganizationSettings
  readonly recipients: Recipients
  readonly limits: OrganizationLimits
}

/** An organization without its keys. */
export type OrganizationState = Omit<TenantRecord, 'keys' | 'limits'> & { readonly limits: OrganizationLimits }

/** null: there is none that the transaction may see. `lock`: nobody else changes it until the transaction ends. */
export async function readOrganization(query: Query, organizationId: string, lock = false): Promise<OrganizationState | null> {
  const [row] = await query<OrganizationRow>(lock ? LOCK_ORGANIZATION : GET_ORGANIZATION, [organizationId])
  if (row === undefined) return null
  const { id, ...rest } = row
  return { organizationId: id, ...rest }
}

/** With its live keys: the value of topic `tenants`. */
async function tenantRecord(query: Query, state: OrganizationState): Promise<TenantRecord> {
  const rows = await query<{ id: string; hash: string; scopes: string[]; source: string | null; expires_at: Date | null }>(
    GET_KEY_HASHES,
    [state.organizationId],
  )
  const keys = rows.map(({ source, expires_at, ...key }) => ({
    ...key,
    ...(source === null ? {} : { source }),
    ...(expires_at === null ? {} : { expiresAt: expires_at.toISOString() }),
  }))
  return { ...state, keys }
}

/** Tells `audit.events` and `tenants` of an organization as the transaction leaves it. */
export async function publishOrganization(query: Query, state: OrganizationState): Promise<void> {
  await addToOutbox(query, tenantRecords(await tenantRecord(query, state)))
}

/** Writes and publishes `next` under the version after that of the locked row it was made from; returns it so. */
export async function changeOrganization(query: Query, next: OrganizationState): Promise<OrganizationState> {
  const state = { ...next, version: next.version + 1 }
  await query(CHANGE_ORGANIZATION, [
    state.organizationId,
    state.name,
    JSON.stringify(state.settings),
    JSON.stringify(state.recipients),
    JSON.stringify(state.limits),
  ])
  await publishOrganization(query, state)
  return state
}

/** By slug, after `after`; the transaction's subject must be an operator. */
export async function listOrganizations(query: Query, after: string, limit: number): Promise<OrganizationList> {
  const rows = await query<
    Pick<OrganizationRow, 'id' | 'slug' | 'name' | 'partition' | 'limits'> & { readonly created_at: Date }
  >(LIST_ORGANIZATIONS, [after, limit + 1])
  const items = rows
    .slice(0, limit)
    .map(({ id, created_at, ...row }) => ({ organizationId: id, ...row, createdAt: created_at.toISOString() }))
  return { items, nextAfter: rows.length > limit ? (items.at(-1)?.slug ?? null) : null }
}

import type { OrganizationSettings, Recipients, TenantRecord } from '@tocsin/contracts'
import type { Query } from '@tocsin/postgres'
import { GET_KEYS, GET_ORGANIZATION, LOCK_ORGANIZATION } from '../sql/organization-sql.ts'

interface OrganizationRow {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly version: number
  readonly partition: number
  readonly settings: OrganizationSettings
  readonly recipients: Recipients
}

/** An organization without its keys. */
export type OrganizationState = Omit<TenantRecord, 'keys'>

/** null: there is none that the transaction may see. `lock`: nobody else changes it until the transaction ends. */
export async function readOrganization(query: Query, organizationId: string, lock = false): Promise<OrganizationState | null> {
  const [row] = await query<OrganizationRow>(lock ? LOCK_ORGANIZATION : GET_ORGANIZATION, [organizationId])
  if (row === undefined) return null
  const { id, ...rest } = row
  return { organizationId: id, ...rest }
}

/** With its live keys: the value of topic `tenants`. */
export async function tenantRecord(query: Query, state: OrganizationState): Promise<TenantRecord> {
  const rows = await query<{ id: string; hash: string; scopes: string[]; source: string | null }>(GET_KEYS, [
    state.organizationId,
  ])
  const keys = rows.map(({ source, ...key }) => ({ ...key, ...(source === null ? {} : { source }) }))
  return { ...state, keys }
}

import { randomBytes, randomUUID } from 'node:crypto'
import type { ActChannel, KeyScope, OrganizationSettings, Recipients } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { inOrganization, type Pool, type Query } from '@tocsin/postgres'
import { slugOf } from './core/organization-settings.ts'
import type { FieldCipher } from './protection/field-cipher.ts'
import { changeAccess } from './repositories/access.ts'
import { addKey } from './repositories/api-keys.ts'
import { addHistory } from './repositories/history.ts'
import { type OrganizationState, publishOrganization } from './repositories/organizations.ts'
import { SET_MEMBER } from './sql/member-sql.ts'
import { ADD_ORGANIZATION, LOCK_PARTITION_LOAD, TAKE_PARTITION } from './sql/organization-sql.ts'

const INGEST_SCOPES: readonly KeyScope[] = ['events:write']
const SUFFIX_BYTES = 3
const MAX_BASE_SLUG = 56

export interface WantedOrganization {
  readonly name: string
  readonly slug: string | undefined
  readonly settings: OrganizationSettings
  readonly recipients: Recipients
  /** undefined: `admin@SLUG`. */
  readonly admin: string | undefined
  /** Who makes it. */
  readonly actor: string
  readonly channel: ActChannel
  readonly ip: string
}

export interface NewOrganization {
  readonly organizationId: string
  readonly slug: string
  /** Shown once; only its hash is stored. */
  readonly ingestKey: string
  readonly adminSubject: string
}

/**
 * An organization with one ingest key and one admin, on the partition with the fewest organizations; all of it in one
 * transaction with what tells the others of it. A slug that was asked for and is taken is 409; one made of the name gets an ending.
 * `alsoFirst` is done in the same transaction before everything else.
 */
export async function createOrganization(
  { pool, cipher }: { readonly pool: Pool; readonly cipher: FieldCipher },
  wanted: WantedOrganization,
  alsoFirst: (query: Query) => Promise<void> = async () => {},
): Promise<NewOrganization> {
  const organizationId = randomUUID()
  await cipher.load([organizationId])
  return inOrganization(pool, organizationId, async (query) => {
    await alsoFirst(query)
    await query(LOCK_PARTITION_LOAD)
    const [place] = await query<{ partition: number }>(TAKE_PARTITION)
    if (place === undefined) throw new Error('no partition is known: persistence has not finished its start')
    const { name, settings, recipients, actor, channel, ip } = wanted
    const state = { organizationId, name, version: 1, partition: place.partition, settings, recipients, limits: {} }
    const slug = await addWithFreeSlug(query, state, wanted.slug)
    const { key: ingestKey, id } = await addKey(query, organizationId, {
      name: 'first ingest key',
      scopes: INGEST_SCOPES,
      source: null,
      createdBy: actor,
    })
    await publishOrganization(query, { ...state, slug })
    const adminSubject = wanted.admin ?? `admin@${slug}`
    await changeAccess(query, adminSubject, organizationId, () => query(SET_MEMBER, [adminSubject, organizationId, 'admin']))
    await addHistory(query, cipher, {
      organizationId,
      at: new Date().toISOString(),
      actor,
      channel,
      ip,
      action: 'organization.created',
      about: { kind: 'organization', id: organizationId, version: 1 },
      details: { slug, name, settings, recipients, admin: adminSubject, key: id },
    })
    return { organizationId, slug, ingestKey, adminSubject }
  })
}

async function addWithFreeSlug(query: Query, state: Omit<OrganizationState, 'slug'>, asked: string | undefined): Promise<string> {
  const add = async (slug: string) =>
    (
      await query(ADD_ORGANIZATION, [
        state.organizationId,
        slug,
        state.name,
        state.partition,
        JSON.stringify(state.settings),
        JSON.stringify(state.recipients),
      ])
    ).length > 0
  const slug = asked ?? slugOf(state.name)
  if (await add(slug)) return slug
  if (asked !== undefined) throw new HttpProblem(409, 'SLUG_TAKEN', `The slug ${asked} is taken. Choose another one.`)
  const other = `${slug.slice(0, MAX_BASE_SLUG).replace(/-+$/, '')}-${randomBytes(SUFFIX_BYTES).toString('hex')}`
  if (await add(other)) return other
  throw new HttpProblem(409, 'SLUG_TAKEN', `The slug ${other} is taken. Try again.`)
}

import { randomBytes, randomUUID } from 'node:crypto'
import { generateKey, hashKey } from '@tocsin/access'
import type { OrganizationSettings, Recipients } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { inOrganization, type Pool, type Query } from '@tocsin/postgres'
import { slugOf } from './core/organization-settings.ts'
import { readAccessRecord } from './repositories/access.ts'
import { tenantRecord } from './repositories/organizations.ts'
import { accessRecord, addToOutbox, tenantRecords } from './repositories/outbox.ts'
import {
  ADD_KEY,
  ADD_MEMBERSHIP,
  ADD_ORGANIZATION,
  LOCK_PARTITION_LOAD,
  TAKE_PARTITION,
  TOUCH_SUBJECT,
} from './sql/organization-sql.ts'

const INGEST_SCOPES = ['events:write']
const SET_SUBJECT = `SELECT set_config('app.subject', $1, true)`
const SUFFIX_BYTES = 3
const MAX_BASE_SLUG = 56

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
 */
export async function createOrganization(
  pool: Pool,
  wanted: {
    readonly name: string
    readonly slug: string | undefined
    readonly settings: OrganizationSettings
    readonly recipients: Recipients
  },
): Promise<NewOrganization> {
  const organizationId = randomUUID()
  const ingestKey = generateKey()
  return inOrganization(pool, organizationId, async (query) => {
    await query(LOCK_PARTITION_LOAD)
    const [place] = await query<{ partition: number }>(TAKE_PARTITION)
    if (place === undefined) throw new Error('no partition is known: persistence has not finished its start')
    const state = {
      organizationId,
      name: wanted.name,
      version: 1,
      partition: place.partition,
      settings: wanted.settings,
      recipients: wanted.recipients,
    }
    const slug = await addWithFreeSlug(query, state, wanted.slug)
    await query(ADD_KEY, [randomUUID(), organizationId, hashKey(ingestKey), INGEST_SCOPES])

    const adminSubject = `admin@${slug}`
    await query(SET_SUBJECT, [adminSubject])
    await query(TOUCH_SUBJECT, [adminSubject])
    await query(ADD_MEMBERSHIP, [adminSubject, organizationId, 'admin'])

    const tenant = await tenantRecord(query, { ...state, slug })
    const access = await readAccessRecord(query, adminSubject)
    await addToOutbox(query, [...tenantRecords(tenant), accessRecord(access, organizationId)])
    return { organizationId, slug, ingestKey, adminSubject }
  })
}

async function addWithFreeSlug(
  query: Query,
  state: {
    readonly organizationId: string
    readonly name: string
    readonly partition: number
    readonly settings: OrganizationSettings
    readonly recipients: Recipients
  },
  asked: string | undefined,
): Promise<string> {
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

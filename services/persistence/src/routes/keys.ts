import { notFound } from '@tocsin/access'
import { type ApiKey, type ApiKeyCreated, OPERATIONS_TABLE, type Permission } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool, type Query } from '@tocsin/postgres'
import type { KeyUse } from '@tocsin/redis'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { addKey, listKeys, readKey } from '../repositories/api-keys.ts'
import { addHistory } from '../repositories/history.ts'
import { changeOrganization, readOrganization } from '../repositories/organizations.ts'
import { END_KEY_LATER, REVOKE_KEY } from '../sql/key-sql.ts'
import { type Authorized, authorizeCaller } from './authentication.ts'
import { originOf } from './headers.ts'
import { write } from './write.ts'

const DEFAULT_GRACE_SECONDS = 86_400
/** All of them are in each of the organization's records on `tenants`. */
const MAX_KEYS = 100

export interface KeyRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly keyUse: KeyUse
}

interface Asked {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

export function keyRoutes(app: HttpServer, { pool, cipher, keyUse }: KeyRoutes): void {
  const authorizeFor = (request: FastifyRequest, organizationId: string | undefined, permission: Permission) =>
    authorizeCaller(request, { organizationId, permission, what: 'key' })

  /** One change of an organization's keys: `work`, the history entry that it returns, and what tells `tenants`. */
  const change = async <T extends ApiKey>(
    { request, reply, organizationId, actor }: Authorized & Asked,
    action: 'key.created' | 'key.rotated' | 'key.revoked',
    work: (query: Query) => Promise<{ readonly key: T; readonly details: Readonly<Record<string, unknown>> }>,
  ): Promise<T> =>
    write({ pool, cipher, request, reply, organizationId, actor }, async (query) => {
      const state = await readOrganization(query, organizationId, true)
      if (state === null) throw notFound('key')
      const { key, details } = await work(query)
      if ((await listKeys(query, organizationId)).length > MAX_KEYS)
        throw new HttpProblem(422, 'TOO_MANY_KEYS', `An organization has at most ${MAX_KEYS} live keys. Revoke one first.`)
      await changeOrganization(query, state)
      await addHistory(query, cipher, {
        organizationId,
        at: new Date().toISOString(),
        actor,
        ...originOf(request),
        action,
        about: { kind: 'key', id: key.id },
        details: { name: key.name, scopes: key.scopes, source: key.source, ...details },
      })
      return key
    })
  /** A new key, whose text is in the first answer alone: what an Idempotency-Key keeps for the next one is without it. */
  const make = async (
    by: Authorized & Asked,
    action: 'key.created' | 'key.rotated',
    work: (query: Query) => Promise<{ readonly key: ApiKeyCreated; readonly details: Readonly<Record<string, unknown>> }>,
  ): Promise<ApiKeyCreated> => {
    let text: string | null = null
    const entry = await change<ApiKey>(by, action, async (query) => {
      const { key, details } = await work(query)
      const { key: secret, ...shown } = key
      text = secret
      return { key: shown, details }
    })
    if (text !== null) return { ...entry, key: text }
    throw new HttpProblem(
      409,
      'KEY_SHOWN_ONCE',
      'The key was made and shown before. If nobody has it, revoke it and make another.',
      {
        extra: { keyId: entry.id },
      },
    )
  }
  const liveKey = async (query: Query, organizationId: string, id: string): Promise<ApiKey> => {
    const key = await readKey(query, organizationId, id)
    if (key === null) throw notFound('key')
    return key
  }

  route(app, OPERATIONS_TABLE.listKeys, async ({ query: asked, request }) => {
    const { organizationId } = authorizeFor(request, asked.organizationId, 'keys:read')
    const keys = await inOrganization(pool, organizationId, (query) => listKeys(query, organizationId), 'snapshot')
    const used = await keyUse.lastUsed(keys.map(({ id }) => id))
    return { items: keys.map((key) => ({ ...key, lastUsedAt: used.get(key.id) ?? null })) }
  })

  route(
    app,
    OPERATIONS_TABLE.createKey,
    ({ query: asked, body, request, reply }) => {
      const authorized = authorizeFor(request, asked.organizationId, 'keys:write')
      const { name, scopes, source = null } = body
      return make({ ...authorized, request, reply }, 'key.created', async (query) => ({
        key: await addKey(query, authorized.organizationId, { name, scopes, source, createdBy: authorized.actor }),
        details: {},
      }))
    },
    201,
  )

  route(
    app,
    OPERATIONS_TABLE.rotateKey,
    ({ params, query: asked, request, reply }) => {
      const authorized = authorizeFor(request, asked.organizationId, 'keys:write')
      const { organizationId, actor } = authorized
      const graceSeconds = asked.graceSeconds ?? DEFAULT_GRACE_SECONDS
      return make({ ...authorized, request, reply }, 'key.rotated', async (query) => {
        const old = await liveKey(query, organizationId, params.id)
        if (old.expiresAt !== null)
          throw new HttpProblem(
            409,
            'KEY_ENDS',
            `The key has been replaced already and ends at ${old.expiresAt}. Rotate the newer one.`,
          )
        await query(END_KEY_LATER, [organizationId, old.id, graceSeconds])
        const { name, scopes, source } = old
        return {
          key: await addKey(query, organizationId, { name, scopes, source, createdBy: actor }),
          details: { replaces: old.id, graceSeconds },
        }
      })
    },
    201,
  )

  route(app, OPERATIONS_TABLE.revokeKey, ({ params, query: asked, request, reply }) => {
    const authorized = authorizeFor(request, asked.organizationId, 'keys:write')
    const { organizationId } = authorized
    return change({ ...authorized, request, reply }, 'key.revoked', async (query) => {
      const key = await liveKey(query, organizationId, params.id)
      await query(REVOKE_KEY, [organizationId, key.id])
      return { key, details: {} }
    })
  })
}

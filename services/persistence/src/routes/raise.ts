import { alertFor, notFound } from '@tocsin/access'
import { AlertmanagerWebhook, HEADERS, OPERATIONS_TABLE, RaiseAlert, type RaiseAnswer } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import type { Pool, Query } from '@tocsin/postgres'
import { Compile } from 'typebox/compile'
import { raisedByAlertmanager } from '../core/alertmanager.ts'
import { type Raised, sourceOf, withoutRule } from '../core/raised-alert.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { raiseAlert } from '../raise-alert.ts'
import { readOrganization } from '../repositories/organizations.ts'
import { GET_KEY_NAME } from '../sql/key-sql.ts'
import { authorizeCaller, callerOf } from './authentication.ts'
import { channelOf, headerText } from './headers.ts'
import { write } from './write.ts'

/** Names in metadata that mean something to the system. */
const RESERVED = ['mergedInto', 'autoResolve'] as const
const isRaiseAlert = Compile(RaiseAlert)
const isWebhook = Compile(AlertmanagerWebhook)

export interface RaiseRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
}

export function raiseRoutes(app: HttpServer, { pool, cipher }: RaiseRoutes): void {
  route(
    app,
    OPERATIONS_TABLE.raiseAlert,
    async ({ query: asked, body, request, reply }) => {
      const { organizationId, actor, permissions } = authorizeCaller(request, {
        organizationId: asked.organizationId,
        permission: 'alerts:raise',
        what: 'organization',
      })
      const raised = raisedOf(body, asked.format ?? 'tocsin')
      const { items } = await write({ pool, cipher, request, reply, organizationId, actor }, async (query) => {
        const organization = await readOrganization(query, organizationId)
        if (organization === null) throw notFound('organization')
        const caller = callerOf(request)
        const name = caller.kind === 'key' ? await keyName(query, organizationId, caller.id) : actor
        const answers: RaiseAnswer['items'] = []
        for (const each of inKeyOrder(raised))
          answers.push(
            await raiseAlert(query, cipher, {
              organization,
              raised: each,
              source: sourceOf(name),
              actor: { subject: actor, channel: channelOf(request), now: Date.now() },
              traceparent: headerText(request, HEADERS.traceparent),
            }),
          )
        return { items: answers }
      })
      return { items: items.map((item) => ({ ...item, alert: item.alert === null ? null : alertFor(permissions, item.alert) })) }
    },
    202,
  )
}

/** One order for all: two webhooks with the same keys never wait for each other in a circle. */
const inKeyOrder = (raised: readonly Raised[]): Raised[] =>
  raised.toSorted(({ dedupKey: one }, { dedupKey: other }) => ((one ?? '') < (other ?? '') ? -1 : 1))

function raisedOf(body: RaiseAlert | AlertmanagerWebhook, format: 'tocsin' | 'alertmanager'): Raised[] {
  if (format === 'alertmanager') {
    if (!isWebhook.Check(body)) throw invalid(isWebhook.Errors(body))
    return raisedByAlertmanager(body)
  }
  if (!isRaiseAlert.Check(body)) throw invalid(isRaiseAlert.Errors(body))
  const reserved = RESERVED.find((name) => name in (body.metadata ?? {}))
  if (reserved !== undefined)
    throw new HttpProblem(422, 'RESERVED_NAME', `metadata.${reserved} is the system's own. Take another name.`)
  const { dedupKey = null, ...rest } = body
  return [
    { ...rest, dedupKey, ends: false, rule: withoutRule('api', 'Raised by hand'), group: {}, runbook: null, startedAt: null },
  ]
}

const invalid = (errors: readonly { readonly instancePath: string; readonly message: string }[]) =>
  new HttpProblem(
    400,
    'INVALID_REQUEST',
    [...new Set(errors.map(({ instancePath, message }) => `body${instancePath} ${message}`))].slice(0, 10).join('; '),
  )

/** What people call a key; its source, where it has one. */
async function keyName(query: Query, organizationId: string, id: string): Promise<string> {
  const [row] = await query<{ name: string }>(GET_KEY_NAME, [organizationId, id])
  return row === undefined || row.name === '' ? 'key' : row.name
}

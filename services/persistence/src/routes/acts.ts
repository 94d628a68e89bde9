import { alertFor, notFound } from '@tocsin/access'
import { HEADERS, OPERATIONS_TABLE, type Permission } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool, type Query } from '@tocsin/postgres'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { actOnAlert } from '../act-on-alert.ts'
import type { Command } from '../core/status-change.ts'
import type { Refusal } from '../core/transitions.ts'
import type { PersistenceMetrics } from '../metrics.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { readOrganization } from '../repositories/organizations.ts'
import { IS_MEMBER } from '../sql/organization-sql.ts'
import { authorizeCaller } from './authentication.ts'
import { channelOf, headerText } from './headers.ts'
import { etagOf, holds, overtaken } from './preconditions.ts'

export interface ActRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly metrics: PersistenceMetrics
}

interface Asked {
  readonly params: { readonly id: string }
  readonly query: { readonly organizationId?: string | undefined }
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

export function actRoutes(app: HttpServer, { pool, cipher, metrics }: ActRoutes): void {
  const act = async ({ params, query: asked, request, reply }: Asked, permission: Permission, command: Command) => {
    const { organizationId, actor, permissions } = authorizeCaller(request, {
      organizationId: asked.organizationId,
      permission,
      what: 'alert',
    })
    await cipher.load([organizationId])
    const ifMatch = headerText(request, 'if-match')
    return inOrganization(pool, organizationId, async (query) => {
      const organization = await readOrganization(query, organizationId)
      if (organization === null) throw notFound('alert')
      const result = await actOnAlert(query, cipher, {
        organization,
        id: params.id,
        command,
        actor: { subject: actor, channel: channelOf(request), now: Date.now() },
        isCurrent: ifMatch === undefined ? undefined : (alert) => holds(ifMatch, alert),
        traceparent: headerText(request, HEADERS.traceparent),
      })
      metrics.actions.inc({ action: command.action, outcome: result.outcome })
      if (result.outcome === 'missing') throw notFound('alert')
      if (result.outcome === 'overtaken') throw await overtaken(query, result.alert)
      if (result.outcome === 'refused')
        throw new HttpProblem(409, 'WRONG_STATE', `The alert is ${result.alert.status}: ${WHY[result.reason]}`, {
          headers: { etag: etagOf(result.alert) },
          extra: { present: result.alert.status, reason: result.reason },
        })
      // After the alert itself, so that a stranger's is answered like one that does not exist.
      if (command.action === 'assign') await refuseStranger(query, organizationId, command.assignee)
      reply.header('etag', etagOf(result.alert))
      return alertFor(permissions, result.alert)
    })
  }

  route(app, OPERATIONS_TABLE.acknowledgeAlert, (asked) =>
    act(asked, 'alerts:acknowledge', { action: 'acknowledge', comment: asked.body?.comment }),
  )
  route(app, OPERATIONS_TABLE.unacknowledgeAlert, (asked) =>
    act(asked, 'alerts:acknowledge', { action: 'unacknowledge', comment: asked.body?.comment }),
  )
  route(app, OPERATIONS_TABLE.resolveAlert, (asked) => {
    const { notes, action: resolutionAction, metadata, comment } = asked.body
    return act(asked, 'alerts:resolve', { action: 'resolve', notes, resolutionAction, metadata, comment })
  })
  route(app, OPERATIONS_TABLE.dismissAlert, (asked) => {
    const { reason, notes, comment } = asked.body
    return act(asked, 'alerts:dismiss', { action: 'dismiss', reason, notes, comment })
  })
  route(app, OPERATIONS_TABLE.reopenAlert, (asked) =>
    act(asked, 'alerts:resolve', { action: 'reopen', comment: asked.body?.comment }),
  )
  route(app, OPERATIONS_TABLE.assignAlert, (asked) => {
    const { assignee, comment } = asked.body
    return act(asked, 'alerts:acknowledge', { action: 'assign', assignee, comment })
  })
  route(app, OPERATIONS_TABLE.commentAlert, (asked) =>
    act(asked, 'alerts:comment', { action: 'comment', comment: asked.body.comment }),
  )
  route(app, OPERATIONS_TABLE.labelAlert, (asked) => {
    const { add = [], remove = [] } = asked.body
    return act(asked, 'alerts:comment', { action: 'label', add, remove })
  })
}

const WHY: Readonly<Record<Refusal['refused'], string>> = {
  alreadyThere: 'the act would change nothing.',
  alreadyEnded: 'it has ended. Reopen it first.',
  notAcknowledged: 'nobody has acknowledged it.',
  notEnded: 'it has not ended.',
  tooManyLabels: 'it would have more than 50 labels.',
}

async function refuseStranger(query: Query, organizationId: string, assignee: string | null): Promise<void> {
  if (assignee === null || (await query(IS_MEMBER, [organizationId, assignee])).length > 0) return
  throw new HttpProblem(422, 'UNKNOWN_ASSIGNEE', 'The assignee is no member of the organization. Name a member, or null.')
}

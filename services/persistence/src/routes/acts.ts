import { alertFor, notFound } from '@tocsin/access'
import { type BulkAct, HEADERS, OPERATIONS_TABLE } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import type { Pool } from '@tocsin/postgres'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { actOnAlert } from '../act-on-alert.ts'
import type { Refusal } from '../core/transitions.ts'
import type { PersistenceMetrics } from '../metrics.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { readOrganization } from '../repositories/organizations.ts'
import { ACT_PERMISSIONS, commandOf } from './act-command.ts'
import { refuseStranger } from './assignee.ts'
import { authorizeCaller } from './authentication.ts'
import { channelOf, headerText } from './headers.ts'
import { etagOf, holds, overtaken } from './preconditions.ts'
import { write } from './write.ts'

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
  const act = async ({ params, query: asked, request, reply }: Asked, told: BulkAct) => {
    const { organizationId, actor, permissions } = authorizeCaller(request, {
      organizationId: asked.organizationId,
      permission: ACT_PERMISSIONS[told.act],
      what: 'alert',
    })
    const command = commandOf(told)
    const ifMatch = headerText(request, 'if-match')
    const alert = await write({ pool, cipher, request, reply, organizationId, actor }, async (query) => {
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
      return result.alert
    })
    reply.header('etag', etagOf(alert))
    return alertFor(permissions, alert)
  }

  route(app, OPERATIONS_TABLE.acknowledgeAlert, (asked) => act(asked, { act: 'acknowledge', ...asked.body }))
  route(app, OPERATIONS_TABLE.unacknowledgeAlert, (asked) => act(asked, { act: 'unacknowledge', ...asked.body }))
  route(app, OPERATIONS_TABLE.resolveAlert, (asked) => act(asked, { act: 'resolve', ...asked.body }))
  route(app, OPERATIONS_TABLE.dismissAlert, (asked) => act(asked, { act: 'dismiss', ...asked.body }))
  route(app, OPERATIONS_TABLE.reopenAlert, (asked) => act(asked, { act: 'reopen', ...asked.body }))
  route(app, OPERATIONS_TABLE.assignAlert, (asked) => act(asked, { act: 'assign', ...asked.body }))
  route(app, OPERATIONS_TABLE.commentAlert, (asked) => act(asked, { act: 'comment', ...asked.body }))
  route(app, OPERATIONS_TABLE.labelAlert, (asked) => act(asked, { act: 'label', ...asked.body }))
}

const WHY: Readonly<Record<Refusal['refused'], string>> = {
  alreadyThere: 'the act would change nothing.',
  alreadyEnded: 'it has ended. Reopen it first.',
  notAcknowledged: 'nobody has acknowledged it.',
  notEnded: 'it has not ended.',
  tooManyLabels: 'it would have more than 50 labels.',
}

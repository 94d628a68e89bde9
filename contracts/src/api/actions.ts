import { Type } from 'typebox'
import { Alert } from '../alert.ts'
import { DISMISS_REASONS } from '../vocabulary.ts'
import { AlertParams, type ApiOperation, Failures, InOrganization } from './operation.ts'

export const ResolveBody = Type.Object({ notes: Type.String({ minLength: 1, maxLength: 10_000 }) }, { $id: 'ResolveBody' })
export const DismissBody = Type.Object(
  { reason: Type.Enum([...DISMISS_REASONS]), notes: Type.Optional(Type.String({ maxLength: 10_000 })) },
  { $id: 'DismissBody' },
)

export const ACTION_OPERATIONS = {
  acknowledgeAlert: {
    service: 'persistence',
    method: 'POST',
    url: '/api/alerts/:id/acknowledge',
    summary: 'Somebody looks at it',
    permission: 'alerts:acknowledge',
    schema: { params: AlertParams, querystring: InOrganization, response: { 200: Alert, ...Failures } },
  },
  resolveAlert: {
    service: 'persistence',
    method: 'POST',
    url: '/api/alerts/:id/resolve',
    summary: 'The trouble is over',
    permission: 'alerts:resolve',
    schema: { params: AlertParams, querystring: InOrganization, body: ResolveBody, response: { 200: Alert, ...Failures } },
  },
  dismissAlert: {
    service: 'persistence',
    method: 'POST',
    url: '/api/alerts/:id/dismiss',
    summary: 'It was no trouble',
    permission: 'alerts:dismiss',
    schema: { params: AlertParams, querystring: InOrganization, body: DismissBody, response: { 200: Alert, ...Failures } },
  },
} as const satisfies Record<string, ApiOperation>

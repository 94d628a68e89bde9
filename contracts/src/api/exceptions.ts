import { type Static, Type } from 'typebox'
import { RuleException } from '../rule-settings.ts'
import { SEVERITIES } from '../vocabulary.ts'
import { AlertParams, type ApiOperation, Failures, InOrganization, Nullable, Time, Uuid, WriteHeaders } from './operation.ts'

const { id, ruleId, match, reason, owner, expiresAt } = RuleException.properties

/** What a matcher would have kept out, judged by the evidence of alerts that are there. */
export const HiddenAlerts = Type.Object(
  {
    lookedAt: Type.Object({
      from: Time,
      alerts: Type.Integer(),
      events: Type.Integer({ description: 'Evidence events: the first and the newest of each alert, not all that it counted' }),
      complete: Type.Boolean({ description: 'false: there are more alerts, and only the newest were looked at' }),
    }),
    hidden: Type.Array(
      Type.Object({
        id: Uuid,
        severity: Type.Enum([...SEVERITIES]),
        title: Type.String(),
        ruleId: Type.String(),
        createdAt: Time,
      }),
      { description: 'Alerts of which every evidence event matches' },
    ),
    partly: Type.Integer({ description: 'Alerts of which some of the evidence matches' }),
    unknownFields: Type.Array(Type.String(), {
      description: 'Fields of the matcher that evidence does not hold: what asks for them counts as not matching here',
    }),
  },
  { $id: 'HiddenAlerts' },
)
export type HiddenAlerts = Static<typeof HiddenAlerts>

export const PreviewException = Type.Object(
  { ruleId, match, days: Type.Optional(Type.Integer({ minimum: 1, maximum: 30, default: 7 })) },
  { $id: 'PreviewException', additionalProperties: false },
)
export const AddException = Type.Object(
  { id: Type.Optional(id), ruleId, match, reason, expiresAt },
  { $id: 'AddException', additionalProperties: false },
)
export type AddException = Static<typeof AddException>
export const ExceptionAdded = Type.Object(
  {
    exception: RuleException,
    hidden: HiddenAlerts,
    warnings: Type.Array(Type.String(), {
      description: 'For instance, that a CRITICAL alert of the last 7 days would be hidden',
    }),
  },
  { $id: 'ExceptionAdded' },
)
export type ExceptionAdded = Static<typeof ExceptionAdded>
export const ExceptionProposal = Type.Object(
  { ruleId, match, owner, expiresAt: Nullable(Time), hidden: HiddenAlerts },
  { $id: 'ExceptionProposal' },
)
export type ExceptionProposal = Static<typeof ExceptionProposal>
export const ExceptionList = Type.Object(
  {
    items: Type.Array(
      Type.Object({
        ...RuleException.properties,
        expired: Type.Boolean(),
        hits: Type.Integer({
          minimum: 0,
          description: 'Events that it has kept out of rules since it was first set, some minute ago',
        }),
      }),
    ),
  },
  { $id: 'ExceptionList' },
)
export type ExceptionList = Static<typeof ExceptionList>

export const EXCEPTION_OPERATIONS = {
  listExceptions: {
    service: 'persistence',
    method: 'GET',
    url: '/api/exceptions',
    summary: 'Events that are kept out of rules, with owner, reason, end and hits',
    permission: 'exceptions:write',
    schema: { querystring: InOrganization, response: { 200: ExceptionList, ...Failures } },
  },
  addException: {
    service: 'persistence',
    method: 'POST',
    url: '/api/exceptions',
    summary: 'Keep events out of a rule, or of all; the caller owns it',
    permission: 'exceptions:write',
    schema: {
      querystring: InOrganization,
      headers: WriteHeaders,
      body: AddException,
      response: { 201: ExceptionAdded, ...Failures },
    },
  },
  removeException: {
    service: 'persistence',
    method: 'DELETE',
    url: '/api/exceptions/:exceptionId',
    summary: 'End an exception',
    permission: 'exceptions:write',
    schema: {
      params: Type.Object({ exceptionId: id }),
      querystring: InOrganization,
      headers: WriteHeaders,
      response: { 200: RuleException, ...Failures },
    },
  },
  previewException: {
    service: 'persistence',
    method: 'POST',
    url: '/api/exceptions/preview',
    summary: 'What an exception would have hidden of the alerts of the last days',
    permission: 'exceptions:write',
    schema: { querystring: InOrganization, body: PreviewException, response: { 200: HiddenAlerts, ...Failures } },
  },
  proposeException: {
    service: 'persistence',
    method: 'GET',
    url: '/api/alerts/:id/exception',
    summary: "An exception made of an alert's rule and group, for 30 days, and what it would have hidden",
    permission: 'exceptions:write',
    schema: { params: AlertParams, querystring: InOrganization, response: { 200: ExceptionProposal, ...Failures } },
  },
} as const satisfies Record<string, ApiOperation>

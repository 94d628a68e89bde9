import { type Static, Type } from 'typebox'
import { Alert, Evidence } from '../alert.ts'
import { AlertParams, type ApiOperation, Failures, Uuid } from './operation.ts'

export const EVIDENCE_FORMATS = ['json', 'ocsf', 'csv'] as const
export type EvidenceFormat = (typeof EVIDENCE_FORMATS)[number]

export const AlertEvidence = Type.Object(
  { alertId: Uuid, revision: Type.Integer({ minimum: 1 }), evidence: Type.Array(Evidence) },
  { $id: 'AlertEvidence', description: 'format=json; format=ocsf gives an OCSF Detection Finding (2004), format=csv text/csv' },
)
export type AlertEvidence = Static<typeof AlertEvidence>

export const RelatedAlerts = Type.Object({ items: Type.Array(Alert) }, { $id: 'RelatedAlerts' })
export type RelatedAlerts = Static<typeof RelatedAlerts>

export const EVIDENCE_OPERATIONS = {
  getEvidence: {
    service: 'persistence',
    method: 'GET',
    url: '/api/alerts/:id/evidence',
    summary: 'The events that made an alert; reading them is an entry in the history',
    permission: 'sensitive:read',
    schema: {
      params: AlertParams,
      querystring: Type.Object(
        {
          organizationId: Type.Optional(Uuid),
          format: Type.Optional(Type.Enum([...EVIDENCE_FORMATS], { description: 'json where absent' })),
        },
        { additionalProperties: false },
      ),
      response: { 200: AlertEvidence, ...Failures },
    },
  },
  listRelatedAlerts: {
    service: 'persistence',
    method: 'GET',
    url: '/api/alerts/:id/related',
    summary: 'Other alerts with one of the same values in `group`, newest first',
    permission: 'sensitive:read',
    schema: {
      params: AlertParams,
      querystring: Type.Object(
        {
          organizationId: Type.Optional(Uuid),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: '20 where absent' })),
        },
        { additionalProperties: false },
      ),
      response: { 200: RelatedAlerts, ...Failures },
    },
  },
} as const satisfies Record<string, ApiOperation>

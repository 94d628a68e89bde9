import { Type } from 'typebox'
import { ALERT_FILTERS } from './alerts.ts'
import { type ApiOperation, Failures, Uuid } from './operation.ts'

export const EXPORT_FORMATS = ['ndjson', 'csv'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

export const EXPORT_OPERATIONS = {
  exportAlerts: {
    service: 'persistence',
    method: 'GET',
    url: '/api/alerts/export',
    summary: 'All alerts that fit, newest first, as a stream; two at once for an organization',
    permission: 'alerts:export',
    schema: {
      querystring: Type.Object(
        {
          organizationId: Type.Optional(Uuid),
          format: Type.Optional(Type.Enum([...EXPORT_FORMATS], { description: 'ndjson where absent' })),
          ...ALERT_FILTERS,
        },
        { additionalProperties: false },
      ),
      response: { 200: Type.String({ description: 'A line for each alert: application/x-ndjson or text/csv' }), ...Failures },
    },
  },
} as const satisfies Record<string, ApiOperation>

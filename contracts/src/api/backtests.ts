import { type Static, Type } from 'typebox'
import { type ApiOperation, Failures, InOrganization, Nullable, Time, Uuid } from './operation.ts'

export const BACKTEST_STATES = ['running', 'done', 'failed', 'cancelled'] as const
export const MAX_BACKTEST_HOURS = 168
export const MAX_BACKTEST_SAMPLE = 20

/** A text, or a saved rule; events in the body, or those of the last hours. */
export const RunBacktest = Type.Object(
  {
    content: Type.Optional(Type.String({ minLength: 1, maxLength: 262_144, description: 'The Sigma document, YAML' })),
    ruleId: Type.Optional(
      Type.String({ minLength: 1, maxLength: 255, description: 'A saved rule; with `content` what the rule is called' }),
    ),
    version: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Of the saved rule; default: its draft, else what is in force' }),
    ),
    events: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1_048_576,
        description: 'NDJSON in any format that ingest takes, or lines of sshd',
      }),
    ),
    hours: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_BACKTEST_HOURS,
        description: "The organization's own events that arrived in so many hours, as far as they are kept",
      }),
    ),
  },
  { $id: 'RunBacktest', additionalProperties: false },
)

export type RunBacktest = Static<typeof RunBacktest>

const Count = Type.Integer({ minimum: 0 })
export const BacktestResult = Type.Object(
  {
    alerts: Count,
    perDay: Type.Number({ description: 'Alerts a day of events; less than an hour of events counts as an hour' }),
    sample: Type.Array(
      Type.Object({
        severity: Type.String(),
        title: Type.String(),
        group: Type.Record(Type.String(), Type.String()),
        count: Count,
        firstSeen: Time,
        lastSeen: Time,
      }),
      { maxItems: MAX_BACKTEST_SAMPLE, description: 'The first ones' },
    ),
    byThreshold: Type.Record(Type.String(), Count, {
      description: 'Alerts with the threshold multiplied by 0.5, 1, 2 and 4; the same where a rule has no threshold',
    }),
    events: Count,
    passedOver: Type.Integer({ minimum: 0, description: 'Lines that are no event, or one of another organization' }),
    seconds: Type.Number(),
  },
  { $id: 'BacktestResult' },
)
export type BacktestResult = Static<typeof BacktestResult>

export const Backtest = Type.Object(
  {
    id: Uuid,
    ruleId: Type.String(),
    state: Type.Enum([...BACKTEST_STATES]),
    startedAt: Time,
    progress: Type.Object({
      events: Count,
      share: Type.Number({ minimum: 0, maximum: 1, description: 'Of what there is to be read' }),
    }),
    result: Nullable(BacktestResult),
    error: Nullable(Type.Object({ code: Type.String(), detail: Type.String() })),
  },
  { $id: 'Backtest' },
)
export type Backtest = Static<typeof Backtest>

const BacktestParams = Type.Object({ id: Uuid })

export const BACKTEST_OPERATIONS = {
  runBacktest: {
    service: 'persistence',
    method: 'POST',
    url: '/api/rules/backtest',
    summary:
      'What a rule would have raised, as a job: one at a time of an organization; shows alerts, so sensitive:read is needed',
    permission: 'rules:write',
    bodyLimitBytes: 4_194_304,
    schema: { querystring: InOrganization, body: RunBacktest, response: { 202: Backtest, ...Failures } },
  },
  getBacktest: {
    service: 'persistence',
    method: 'GET',
    url: '/api/rules/backtests/:id',
    summary: 'State, progress and result of a backtest; kept for an hour by the instance that ran it',
    permission: 'rules:write',
    schema: { params: BacktestParams, querystring: InOrganization, response: { 200: Backtest, ...Failures } },
  },
  cancelBacktest: {
    service: 'persistence',
    method: 'DELETE',
    url: '/api/rules/backtests/:id',
    summary: 'End a backtest; one that has ended stays as it is',
    permission: 'rules:write',
    schema: { params: BacktestParams, querystring: InOrganization, response: { 200: Backtest, ...Failures } },
  },
} as const satisfies Record<string, ApiOperation>

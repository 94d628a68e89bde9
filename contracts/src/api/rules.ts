import { type Static, Type } from 'typebox'
import { type ApiOperation, Failures, IDEMPOTENCY_HEADER, InOrganization, Nullable, Time, Uuid } from './operation.ts'

export const RULE_STATES = ['draft', 'active', 'paused', 'retired'] as const
export type RuleState = (typeof RULE_STATES)[number]
export const RULE_VERSION_ACTS = ['saved', 'reverted', 'activated', 'applied', 'paused', 'resumed', 'retired'] as const
export type RuleVersionAct = (typeof RULE_VERSION_ACTS)[number]

const RuleId = Type.String({ minLength: 1, maxLength: 255 })
const Content = Type.String({ minLength: 1, maxLength: 262_144, description: 'The Sigma document, YAML, at most 256 KiB' })
const Reason = Type.String({ minLength: 1, maxLength: 2_000 })
const VersionNumber = Type.Integer({ minimum: 1 })

const rule = {
  ruleId: RuleId,
  organizationId: Type.Union([Uuid, Type.Null()], { description: 'null: of the installation, for every organization' }),
  title: Type.String(),
  state: Type.Enum([...RULE_STATES]),
  owner: Type.String({
    description: 'api; pack: shipped with the installation; folder:NAME: only `tocsin rules apply` changes it',
  }),
  version: Type.Integer({ minimum: 1, description: 'The newest; each text and each publication has one' }),
  inForce: Nullable(Type.Integer({ minimum: 1, description: 'What the detector was told last' })),
  draft: Nullable(Type.Integer({ minimum: 1, description: 'Saved and not active yet' })),
  author: Type.String({ description: 'Of the newest version' }),
  updatedAt: Time,
}
export const Rule = Type.Object(rule, { $id: 'Rule' })
export type Rule = Static<typeof Rule>

const version = {
  version: VersionNumber,
  act: Type.Enum([...RULE_VERSION_ACTS], { description: 'What made it' }),
  title: Type.String(),
  hash: Type.String({ description: 'SHA-256 of the text, hex' }),
  author: Type.String(),
  reason: Type.String(),
  createdAt: Time,
}
export const RuleVersion = Type.Object(version, { $id: 'RuleVersion' })
export type RuleVersion = Static<typeof RuleVersion>
export const RuleVersionText = Type.Object({ ...version, content: Content }, { $id: 'RuleVersionText' })
export type RuleVersionText = Static<typeof RuleVersionText>

/** `text`: the draft where there is one, else what is in force. */
export const RuleWithText = Type.Object({ ...rule, text: RuleVersionText }, { $id: 'RuleWithText' })
export type RuleWithText = Static<typeof RuleWithText>

const statistics = {
  fires: Type.Integer({ minimum: 0, description: 'Alerts that are kept and were not merged into others' }),
  falsePositiveShare: Nullable(
    Type.Number({ minimum: 0, maximum: 1, description: 'Of those dismissed as such; null: it never fired' }),
  ),
  lastFired: Nullable(Time),
}
export const ListedRule = Type.Object({ ...rule, ...statistics }, { $id: 'ListedRule' })
export type ListedRule = Static<typeof ListedRule>
export const RuleList = Type.Object({ items: Type.Array(ListedRule) }, { $id: 'RuleList' })
export const RuleVersionList = Type.Object({ items: Type.Array(RuleVersion) }, { $id: 'RuleVersionList' })
export const RuleDiff = Type.Object(
  { from: VersionNumber, to: VersionNumber, diff: Type.String({ description: 'Unified; empty where the texts are equal' }) },
  { $id: 'RuleDiff' },
)
export type RuleDiff = Static<typeof RuleDiff>

export const SaveRule = Type.Object({ content: Content, reason: Reason }, { $id: 'SaveRule', additionalProperties: false })
export const RuleActBody = Type.Object({ reason: Reason }, { $id: 'RuleActBody', additionalProperties: false })
export const RevertRule = Type.Object(
  { version: VersionNumber, reason: Reason },
  { $id: 'RevertRule', additionalProperties: false },
)

export const RULE_CHANGES = ['new', 'changed', 'unchanged', 'paused', 'retired'] as const
export const ApplyRules = Type.Object(
  {
    folder: Type.String({ minLength: 1, maxLength: 100, pattern: '^[A-Za-z0-9][A-Za-z0-9._ -]*$' }),
    rules: Type.Array(Type.Object({ ruleId: RuleId, content: Content }, { additionalProperties: false }), { maxItems: 1_000 }),
    reason: Reason,
    dryRun: Type.Optional(Type.Boolean({ default: false })),
  },
  { $id: 'ApplyRules', additionalProperties: false },
)
export type ApplyRules = Static<typeof ApplyRules>
export const RulePlan = Type.Object(
  {
    folder: Type.String(),
    applied: Type.Boolean(),
    items: Type.Array(
      Type.Object({
        ruleId: RuleId,
        title: Type.String(),
        change: Type.Enum([...RULE_CHANGES], { description: 'paused: somebody paused it; its text is kept up, it stays paused' }),
      }),
    ),
  },
  { $id: 'RulePlan' },
)
export type RulePlan = Static<typeof RulePlan>

const Fault = Type.Object({
  message: Type.String(),
  line: Type.Integer({ minimum: 1 }),
  column: Type.Integer({ minimum: 1 }),
})
export const TriedText = Type.Object(
  {
    content: Type.String({ maxLength: 262_144 }),
    ruleId: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'Default: what the text says itself' })),
  },
  { $id: 'TriedText', additionalProperties: false },
)
const tried = {
  ruleId: RuleId,
  title: Nullable(Type.String({ description: 'null: it cannot run' })),
  faults: Type.Array(Fault, { description: 'Everything that keeps it from running' }),
  notes: Type.Array(Fault),
}
export const LintedRule = Type.Object(tried, { $id: 'LintedRule' })
export type LintedRule = Static<typeof LintedRule>
export const TestedRule = Type.Object(
  {
    ...tried,
    passed: Type.Boolean({ description: 'It can run, and none of its tests has failed' }),
    tests: Type.Array(Type.Object({ name: Type.String(), differences: Type.Array(Type.String()) })),
  },
  { $id: 'TestedRule' },
)
export type TestedRule = Static<typeof TestedRule>
export const ExplainRule = Type.Object(
  {
    ...TriedText.properties,
    events: Type.Array(Type.Unknown(), {
      minItems: 1,
      maxItems: 100,
      description: 'In any format that ingest takes as JSON, or lines of sshd; judged under the present settings',
    }),
  },
  { $id: 'ExplainRule', additionalProperties: false },
)
const Holds = { holds: Type.Boolean(), text: Type.String(), why: Type.String({ description: 'What the event has there' }) }
export const ExplainedRule = Type.Object(
  {
    ...tried,
    unread: Type.Array(Type.Object({ line: Type.Integer(), reason: Type.String() }), { description: 'Events that are none' }),
    events: Type.Array(
      Type.Object({
        id: Type.String(),
        line: Type.Integer({ description: 'Position among the events given, from 1' }),
        detections: Type.Array(
          Type.Object({
            title: Type.String(),
            holds: Type.Boolean(),
            source: Type.Object(Holds),
            nodes: Type.Array(Type.Object({ depth: Type.Integer(), ...Holds }), {
              description: 'Of the condition, each before those below it',
            }),
          }),
        ),
        groupBy: Type.String(),
      }),
    ),
    windows: Type.Array(
      Type.Object({
        raised: Type.Boolean({ description: 'false: no alert; figures as with the threshold at 1' }),
        severity: Type.String(),
        title: Type.String(),
        group: Type.Record(Type.String(), Type.String()),
        count: Type.Integer(),
        value: Type.Number(),
        peak: Type.Number(),
        threshold: Type.Number(),
        spanMs: Type.Number(),
      }),
    ),
    uncounted: Type.Record(Type.String(), Type.Integer(), { description: 'Why events did not count' }),
  },
  { $id: 'ExplainedRule' },
)
export type ExplainedRule = Static<typeof ExplainedRule>

const RuleParams = Type.Object({ ruleId: RuleId })
const VersionParams = Type.Object({ ruleId: RuleId, version: VersionNumber })
const IfMatch = Type.Object({
  ...IDEMPOTENCY_HEADER,
  'if-match': Type.Optional(Type.String({ maxLength: 200, description: 'ETag of the rule as it was read' })),
})
const changed = { 200: RuleWithText, ...Failures }
const act = (url: string, summary: string) =>
  ({
    service: 'persistence',
    method: 'POST',
    url: `/api/rules/:ruleId/${url}`,
    summary,
    permission: 'rules:write',
    schema: { params: RuleParams, querystring: InOrganization, headers: IfMatch, body: RuleActBody, response: changed },
  }) as const

export const RULE_OPERATIONS = {
  listRules: {
    service: 'persistence',
    method: 'GET',
    url: '/api/rules',
    summary: 'Rules of an organization and those of the installation that hold there, with how often each fired',
    permission: 'rules:read',
    schema: { querystring: InOrganization, response: { 200: RuleList, ...Failures } },
  },
  getRule: {
    service: 'persistence',
    method: 'GET',
    url: '/api/rules/:ruleId',
    summary: 'One rule with its text; ETag for If-Match',
    permission: 'rules:read',
    schema: { params: RuleParams, querystring: InOrganization, response: { 200: RuleWithText, ...Failures } },
  },
  listRuleVersions: {
    service: 'persistence',
    method: 'GET',
    url: '/api/rules/:ruleId/versions',
    summary: 'Every version of a rule, newest first',
    permission: 'rules:read',
    schema: { params: RuleParams, querystring: InOrganization, response: { 200: RuleVersionList, ...Failures } },
  },
  getRuleVersion: {
    service: 'persistence',
    method: 'GET',
    url: '/api/rules/:ruleId/versions/:version',
    summary: 'One version with its text',
    permission: 'rules:read',
    schema: { params: VersionParams, querystring: InOrganization, response: { 200: RuleVersionText, ...Failures } },
  },
  diffRule: {
    service: 'persistence',
    method: 'GET',
    url: '/api/rules/:ruleId/diff',
    summary: 'What changed between two versions',
    permission: 'rules:read',
    schema: {
      params: RuleParams,
      querystring: Type.Object(
        { ...InOrganization.properties, from: VersionNumber, to: VersionNumber },
        { additionalProperties: false },
      ),
      response: { 200: RuleDiff, ...Failures },
    },
  },
  saveRule: {
    service: 'persistence',
    method: 'PUT',
    url: '/api/rules/:ruleId',
    summary: 'A new draft of a rule, which may be a new one; what is in force stays',
    permission: 'rules:write',
    schema: { params: RuleParams, querystring: InOrganization, headers: IfMatch, body: SaveRule, response: changed },
  },
  activateRule: act('activate', 'Put the draft in force; its own tests run first'),
  pauseRule: act('pause', 'Stop a rule; its open alerts are closed. One of the installation stops in this organization only'),
  resumeRule: act('resume', 'Start a paused rule again, with empty windows'),
  retireRule: act('retire', 'End a rule; a new draft can bring it back'),
  revertRule: {
    service: 'persistence',
    method: 'POST',
    url: '/api/rules/:ruleId/revert',
    summary: 'A new draft with the text of an older version',
    permission: 'rules:write',
    schema: { params: RuleParams, querystring: InOrganization, headers: IfMatch, body: RevertRule, response: changed },
  },
  lintRule: {
    service: 'persistence',
    method: 'POST',
    url: '/api/rules/lint',
    summary: 'Everything that keeps a text from being a rule, with line and column; nothing is kept',
    permission: 'rules:read',
    schema: { querystring: InOrganization, body: TriedText, response: { 200: LintedRule, ...Failures } },
  },
  testRule: {
    service: 'persistence',
    method: 'POST',
    url: '/api/rules/test',
    summary: 'Run the tests that stand in a text; nothing is kept',
    permission: 'rules:read',
    schema: { querystring: InOrganization, body: TriedText, response: { 200: TestedRule, ...Failures } },
  },
  explainRule: {
    service: 'persistence',
    method: 'POST',
    url: '/api/rules/explain',
    summary: 'Hold events against a text: each node passed or failed and why, and how far the windows came; nothing is kept',
    permission: 'rules:read',
    schema: { querystring: InOrganization, body: ExplainRule, response: { 200: ExplainedRule, ...Failures } },
  },
  applyRules: {
    service: 'persistence',
    method: 'POST',
    url: '/api/rules/apply',
    summary: "A folder's rules, all or none: new and changed ones go in force, those that are gone are retired",
    permission: 'rules:write',
    bodyLimitBytes: 16_777_216,
    schema: { querystring: InOrganization, body: ApplyRules, response: { 200: RulePlan, ...Failures } },
  },
} as const satisfies Record<string, ApiOperation>

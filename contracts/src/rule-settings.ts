import { type Static, Type } from 'typebox'
import { SEVERITIES } from './vocabulary.ts'

/** Longest span, as for a rule's own (libs/sigma): a year. */
const MAX_SPAN_MS = 31_622_400_000
/** Longest cooldown and lateness, as for a rule's own. */
const MAX_KEPT_MS = 604_800_000

/** What an organization sets for one rule instead of the rule's own defaults (docs/detection.md, rules and settings). */
export const RuleSettings = Type.Object(
  {
    threshold: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Of conditions with one gte or gt; others keep their own' }),
    ),
    timespanMs: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_SPAN_MS, description: 'milliseconds; a night keeps its own' }),
    ),
    cooldownMs: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_KEPT_MS, description: 'milliseconds; a night has none' })),
    latenessMs: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_KEPT_MS, description: 'milliseconds' })),
    severity: Type.Optional(
      Type.Enum([...SEVERITIES], { description: 'Instead of the level of the rule; its steps still only raise it' }),
    ),
  },
  { additionalProperties: false },
)
export type RuleSettings = Static<typeof RuleSettings>

/** Events that take no part in a rule of the organization. */
export const RuleException = Type.Object(
  {
    id: Type.String({ minLength: 1, maxLength: 128, description: 'Unique in the organization; its hits are counted under it' }),
    ruleId: Type.Union([Type.String({ minLength: 1, maxLength: 255 }), Type.Null()], { description: 'null: every rule' }),
    match: Type.Unknown({
      description: 'A Sigma selection: a map of field|modifiers to values (all must hold), or a list of such maps (one must)',
    }),
    reason: Type.String({ minLength: 1, maxLength: 2000 }),
    owner: Type.String({ minLength: 1, maxLength: 255 }),
    expiresAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
      description: 'In force while log time is before it; null: until it is removed',
    }),
  },
  { additionalProperties: false },
)
export type RuleException = Static<typeof RuleException>

import { ACCESS_OPERATIONS } from './access.ts'
import { ACTION_OPERATIONS } from './actions.ts'
import { EXPORT_OPERATIONS } from './alert-export.ts'
import { ALERT_OPERATIONS } from './alerts.ts'
import { ALERTS_OF_ALL_OPERATIONS } from './alerts-of-all.ts'
import { BACKTEST_OPERATIONS } from './backtests.ts'
import { BULK_OPERATIONS } from './bulk.ts'
import { ERASURE_OPERATIONS } from './erasures.ts'
import { EVENT_OPERATIONS } from './events.ts'
import { EVIDENCE_OPERATIONS } from './evidence.ts'
import { EXCEPTION_OPERATIONS } from './exceptions.ts'
import { GRANT_OPERATIONS } from './grants.ts'
import { HISTORY_OPERATIONS } from './history.ts'
import { HOLD_OPERATIONS } from './holds.ts'
import { KEY_OPERATIONS } from './keys.ts'
import { MEMBER_OPERATIONS } from './members.ts'
import { NOTIFICATION_OPERATIONS } from './notifications.ts'
import type { ApiOperation } from './operation.ts'
import { ORGANIZATION_OPERATIONS } from './organizations.ts'
import { RAISE_OPERATIONS } from './raise.ts'
import { RULE_OPERATIONS } from './rules.ts'
import { SIGN_IN_OPERATIONS } from './sign-ins.ts'
import { STATISTICS_OPERATIONS } from './statistics.ts'

export * from './access.ts'
export * from './actions.ts'
export * from './alert-export.ts'
export * from './alerts.ts'
export * from './alerts-of-all.ts'
export * from './backtests.ts'
export * from './bulk.ts'
export * from './erasures.ts'
export * from './events.ts'
export * from './evidence.ts'
export * from './exceptions.ts'
export * from './grants.ts'
export * from './history.ts'
export * from './holds.ts'
export * from './keys.ts'
export * from './members.ts'
export * from './notifications.ts'
export type { ApiOperation } from './operation.ts'
export * from './organizations.ts'
export * from './raise.ts'
export * from './rules.ts'
export * from './sign-ins.ts'
export * from './statistics.ts'

/** One row per operation: the services route by it, and OpenAPI is generated from it. `:id` as in Fastify. */
export const OPERATIONS_TABLE = {
  ...ALERT_OPERATIONS,
  ...EVIDENCE_OPERATIONS,
  ...STATISTICS_OPERATIONS,
  ...EXPORT_OPERATIONS,
  ...ACTION_OPERATIONS,
  ...RAISE_OPERATIONS,
  ...BULK_OPERATIONS,
  ...ALERTS_OF_ALL_OPERATIONS,
  ...ACCESS_OPERATIONS,
  ...SIGN_IN_OPERATIONS,
  ...HISTORY_OPERATIONS,
  ...MEMBER_OPERATIONS,
  ...KEY_OPERATIONS,
  ...HOLD_OPERATIONS,
  ...ERASURE_OPERATIONS,
  ...ORGANIZATION_OPERATIONS,
  ...GRANT_OPERATIONS,
  ...RULE_OPERATIONS,
  ...BACKTEST_OPERATIONS,
  ...EXCEPTION_OPERATIONS,
  ...NOTIFICATION_OPERATIONS,
  ...EVENT_OPERATIONS,
} as const satisfies Record<string, ApiOperation>

export { createReadiness, type ReadinessState } from './readiness.ts'
export { backoffMs, retryUntil } from './retry.ts'
export { type Running, runService } from './run-service.ts'

export { createLogger, type Logger } from './logger.ts'
export { type Readiness, startTelemetry, type Telemetry } from './telemetry-server.ts'
export { childTraceparent, newTraceparent } from './traceparent.ts'

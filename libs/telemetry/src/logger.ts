import { type Logger, pino } from 'pino'

export type { Logger }

/** Field names whose values must not reach a log, wherever they stand at the first two levels. */
const SECRET_FIELDS = ['password', 'token', 'authorization', 'cookie', 'secret', 'ingestKey', 'apiKey', 'key', 'tocsin-key']

/** JSON lines on standard output; `service` names the process in each. */
export function createLogger(service: string, level: string): Logger {
  return pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRET_FIELDS.flatMap((field) => [`["${field}"]`, `*["${field}"]`]), censor: '[secret]' },
  })
}

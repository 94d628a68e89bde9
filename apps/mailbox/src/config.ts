import { configOfProcess, HttpConfig, ServiceConfig } from '@tocsin/config'
import { type Static, Type } from 'typebox'

const { TOCSIN_ENV, LOG_LEVEL, HOST, METRICS_PORT } = ServiceConfig

export const MailboxConfig = Type.Object({
  TOCSIN_ENV,
  LOG_LEVEL,
  HOST,
  METRICS_PORT,
  ...HttpConfig,
  SMTP_PORT: Type.Integer({ description: 'Port that catches mail; 0: a free one', minimum: 0, maximum: 65_535, default: 0 }),
  MAILBOX_KEEPS: Type.Integer({ description: 'Newest messages kept in memory', minimum: 1, maximum: 100_000, default: 5_000 }),
})
export type MailboxConfig = Static<typeof MailboxConfig>

/** Anybody who reaches it reads every message, so it refuses to run outside development, and so beyond loopback. */
export function readConfig(target: NodeJS.Process = process): MailboxConfig {
  const config = configOfProcess(MailboxConfig, target)
  if (config.TOCSIN_ENV !== 'development') {
    target.stderr.write('The mailbox shows every message to everybody: it runs with TOCSIN_ENV=development only.\n')
    return target.exit(1)
  }
  return config
}

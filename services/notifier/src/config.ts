import { configOfProcess, HttpConfig, ServiceConfig } from '@tocsin/config'
import { type Static, Type } from 'typebox'
import { ConsoleConfig } from './channels/console.ts'
import { EmailConfig } from './channels/email.ts'
import { SlackConfig } from './channels/slack.ts'
import { SmsConfig } from './channels/sms.ts'

const milliseconds = (description: string, value: number, minimum = 1) =>
  Type.Integer({ description: `${description}, milliseconds`, minimum, default: value })

export const NotifierConfig = Type.Object({
  ...ServiceConfig,
  ...HttpConfig,
  OWNER_DATABASE_URL: Type.String({ description: 'PostgreSQL as tocsin_owner, for migrations only', minLength: 1, secret: true }),
  DATABASE_URL: Type.String({ description: 'PostgreSQL as tocsin_notifier', minLength: 1, secret: true }),
  DATABASE_CONNECTIONS: Type.Integer({ description: 'Most connections to PostgreSQL', minimum: 2, default: 10 }),
  KEYS_FILE: Type.String({ description: 'Key ring that tokens are checked with', minLength: 1 }),
  PUBLIC_URL: Type.String({
    description: 'Address of the dashboard as people reach it; links in messages begin with it',
    pattern: '^https?://',
  }),
  SEND_CONCURRENCY: Type.Integer({ description: 'Most messages on their way at once', minimum: 1, maximum: 1000, default: 32 }),
  ...EmailConfig.properties,
  ...SlackConfig.properties,
  ...SmsConfig.properties,
  ...ConsoleConfig.properties,
  BREAKER_ERROR_PERCENTAGE: Type.Integer({
    description: 'A breaker opens above this share of failures, percent',
    minimum: 1,
    maximum: 100,
    default: 50,
  }),
  BREAKER_VOLUME: Type.Integer({ description: 'Attempts in the window before a breaker may open', minimum: 1, default: 5 }),
  BREAKER_WINDOW_MS: milliseconds('Window in which failures are counted', 60_000, 100),
  BREAKER_RESET_MS: milliseconds('An open breaker lets one attempt through after', 30_000, 100),
  BREAKER_IDLE_MS: milliseconds('An unused breaker is shut down after', 600_000, 100),
})
export type NotifierConfig = Static<typeof NotifierConfig>

/** Secrets of the development stand-ins; with them in production nothing could be told, so it must not look as if it could. */
const SAMPLE_SECRETS: readonly (keyof NotifierConfig)[] = ['SLACK_TOKEN', 'SMS_TOKEN']

export function readConfig(target: NodeJS.Process = process): NotifierConfig {
  const config = configOfProcess(NotifierConfig, target)
  return { ...config, PUBLIC_URL: config.PUBLIC_URL.replace(/\/+$/, '') }
}

/** Names of secrets that still hold their development value outside development. */
export const sampleSecrets = (config: NotifierConfig): readonly string[] =>
  config.TOCSIN_ENV === 'production'
    ? SAMPLE_SECRETS.filter(
        (name) => (NotifierConfig.properties[name] as { readonly default?: unknown }).default === config[name],
      )
    : []

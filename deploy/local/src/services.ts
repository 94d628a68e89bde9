/** The services of an installation on one machine: how each is started and where it is reached. */
import { join } from 'node:path'
import type { RoleUrls } from './database-roles.ts'
import { CHECKOUT } from './places.ts'
import type { ProcessSpec } from './supervised-process.ts'

export const SERVICES = ['ingest', 'detector', 'persistence', 'notifier', 'gateway', 'mailbox'] as const
export type ServiceName = (typeof SERVICES)[number]

const ENTRIES: Record<ServiceName, string> = {
  ingest: 'services/ingest/src/main.ts',
  detector: 'services/detector/src/main.ts',
  persistence: 'services/persistence/src/main.ts',
  notifier: 'services/notifier/src/main.ts',
  gateway: 'services/gateway/src/main.ts',
  mailbox: 'apps/mailbox/src/main.ts',
}

/** The HTTP ports, the mailbox's SMTP port, and a port of each service for /metrics and /health. */
export const SERVICE_PORTS = [
  'gateway',
  'mailbox',
  'mailboxSmtp',
  'ingest',
  'persistence',
  'notifier',
  ...SERVICES.map((name) => `${name}Metrics` as const),
] as const
export type ServicePort = (typeof SERVICE_PORTS)[number]

/** The subject that persistence makes operator, and as which the launcher makes the development organization. */
export const OPERATOR = 'operator@localhost'

const STOP_LIMIT_MS = 6_000
const READY_LIMIT_MS = 60_000
const HEALTH_LIMIT_MS = 1_000

export interface Installation {
  readonly kafkaBrokers: string
  /** Before every topic and consumer group; '' outside tests. */
  readonly topicPrefix: string
  readonly redisUrl: string
  readonly databases: RoleUrls
  readonly keysFile: string
  readonly dashboardDir: string
  readonly ports: Record<ServicePort, number>
  readonly logDir: string
  readonly logLevel: string
  /** Settings beside those below, for example failpoints of tests. */
  readonly extraEnv?: Partial<Record<ServiceName, NodeJS.ProcessEnv>>
}

export function publicUrl(ports: Record<ServicePort, number>): string {
  return `http://127.0.0.1:${ports.gateway}`
}

export function mailboxUrl(ports: Record<ServicePort, number>): string {
  return `http://127.0.0.1:${ports.mailbox}`
}

export function describeService(name: ServiceName, installation: Installation): ProcessSpec {
  const { ports } = installation
  const metricsPort = ports[`${name}Metrics`]
  return {
    name,
    command: process.execPath,
    args: ['--enable-source-maps', join(CHECKOUT, ENTRIES[name])],
    cwd: CHECKOUT,
    env: { ...process.env, ...common(installation, metricsPort), ...own(name, installation), ...installation.extraEnv?.[name] },
    logFile: join(installation.logDir, `${name}.log`),
    port: name === 'detector' ? metricsPort : ports[name],
    ipc: true,
    stopSignal: 'SIGTERM',
    stopLimitMs: STOP_LIMIT_MS,
    ready: async () => {
      const answer = await fetch(`http://127.0.0.1:${metricsPort}/health/ready`, { signal: AbortSignal.timeout(HEALTH_LIMIT_MS) })
      await answer.body?.cancel()
      return answer.status === 200
    },
    readyLimitMs: READY_LIMIT_MS,
    earlyDeaths: 3,
  }
}

function common(installation: Installation, metricsPort: number): NodeJS.ProcessEnv {
  return {
    TOCSIN_ENV: 'development',
    LOG_LEVEL: installation.logLevel,
    KAFKA_BROKERS: installation.kafkaBrokers,
    KAFKA_TOPIC_PREFIX: installation.topicPrefix,
    HOST: '127.0.0.1',
    METRICS_PORT: String(metricsPort),
  }
}

function own(name: ServiceName, installation: Installation): NodeJS.ProcessEnv {
  const { ports, databases, redisUrl, keysFile } = installation
  const url = publicUrl(ports)
  const mailbox = mailboxUrl(ports)
  const settings: Record<ServiceName, NodeJS.ProcessEnv> = {
    ingest: { PORT: String(ports.ingest), REDIS_URL: redisUrl },
    detector: {},
    persistence: {
      PORT: String(ports.persistence),
      OWNER_DATABASE_URL: databases.tocsin_owner,
      API_DATABASE_URL: databases.tocsin_api,
      WORKER_DATABASE_URL: databases.tocsin_worker,
      REDIS_URL: redisUrl,
      KEYS_FILE: keysFile,
      RULES_DIR: join(CHECKOUT, 'rules'),
      OPERATOR_SUBJECT: OPERATOR,
      PUBLIC_URL: url,
    },
    notifier: {
      PORT: String(ports.notifier),
      OWNER_DATABASE_URL: databases.tocsin_owner,
      DATABASE_URL: databases.tocsin_notifier,
      SMTP_URL: `smtp://127.0.0.1:${ports.mailboxSmtp}`,
      MAIL_FROM: 'Tocsin <tocsin@localhost>',
      SLACK_API_URL: `${mailbox}/slack/api/`,
      SMS_API_URL: `${mailbox}/sms`,
      KEYS_FILE: keysFile,
      PUBLIC_URL: url,
    },
    gateway: {
      PORT: String(ports.gateway),
      INGEST_URL: `http://127.0.0.1:${ports.ingest}`,
      PERSISTENCE_URL: `http://127.0.0.1:${ports.persistence}`,
      NOTIFIER_URL: `http://127.0.0.1:${ports.notifier}`,
      REDIS_URL: redisUrl,
      KEYS_FILE: keysFile,
      DASHBOARD_DIR: installation.dashboardDir,
      PUBLIC_URL: url,
    },
    mailbox: { PORT: String(ports.mailbox), SMTP_PORT: String(ports.mailboxSmtp) },
  }
  return settings[name]
}

import { fileURLToPath } from 'node:url'
import { AccessDirectory, followKeyRing } from '@tocsin/access'
import { AccessRecord, TOPICS } from '@tocsin/contracts'
import { isRetryable, messageOf } from '@tocsin/errors'
import { listen } from '@tocsin/http'
import { createKafka, createProducer, followTopic, type KafkaRecord } from '@tocsin/kafka'
import { createReadiness, type Running, retryUntil } from '@tocsin/lifecycle'
import { assertPlainRole, createPool, migrate, queryOf } from '@tocsin/postgres'
import { type Logger, startTelemetry } from '@tocsin/telemetry'
import { Registry } from 'prom-client'
import { Compile } from 'typebox/compile'
import { readAlerts } from './alerts-reader.ts'
import { Breakers } from './breakers.ts'
import type { Channel } from './channels/channel.ts'
import { createConsole } from './channels/console.ts'
import { createEmail } from './channels/email.ts'
import { createSlack } from './channels/slack.ts'
import { createSms } from './channels/sms.ts'
import { type NotifierConfig, sampleSecrets } from './config.ts'
import { Courier } from './courier.ts'
import * as sql from './ledger/sql.ts'
import { reopenUntold } from './ledger/timers.ts'
import { createMetrics } from './metrics.ts'
import { Organizations } from './organizations.ts'
import type { ChannelName } from './plan/vocabulary.ts'
import { createRoutes } from './routes.ts'

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url))
const SCHEMA = 'notifier'
/** How often the waiting deliveries are counted for the metrics (ms). */
const COUNT_EVERY_MS = 15_000

export interface RunningNotifier extends Running {
  readonly port: number
  readonly metricsPort: number
}

/** Wires the notifier. Every dependency may be away at the start and is waited for; /health answers from the first moment. */
export async function createNotifier(config: NotifierConfig, log: Logger, signal: AbortSignal): Promise<RunningNotifier> {
  const registry = new Registry()
  const metrics = createMetrics(registry)
  const readiness = createReadiness()
  const samples = sampleSecrets(config)
  if (samples.length > 0)
    log.warn({ settings: samples }, 'these secrets have their development value: their channels cannot tell anybody')
  const keyFile = await followKeyRing(config.KEYS_FILE, {
    onFault: (reason) => log.error({ reason }, 'the changed key file cannot be used: the one before it stays in force'),
  })
  const { ring: keys } = keyFile
  const kafka = createKafka({
    brokers: config.KAFKA_BROKERS,
    clientId: 'notifier',
    prefix: config.KAFKA_TOPIC_PREFIX,
    log,
    registry,
  })
  const pool = createPool(config.DATABASE_URL, { name: 'notifier', max: config.DATABASE_CONNECTIONS, log })
  const telemetry = await startTelemetry({
    name: 'notifier',
    host: config.HOST,
    port: config.METRICS_PORT,
    registry,
    log,
    ready: () => current(),
  })
  let readerTroubles: () => readonly string[] = () => []
  const current = () => {
    const { status, degraded } = readiness.current()
    return { status, degraded: [...degraded, ...(kafka.isUp() ? [] : ['kafka']), ...readerTroubles()] }
  }

  const isFatal = (error: unknown) => !isRetryable(error)
  const untilUp = <T>(what: string, attempt: () => Promise<T>) => retryUntil(attempt, { signal, log, what, isFatal })
  await untilUp('postgres', () => migrate(config.OWNER_DATABASE_URL, { directory: MIGRATIONS, schema: SCHEMA, log }))
  await untilUp('postgres', () => assertPlainRole(pool))

  const access = new AccessDirectory()
  const accessTopic = followTopic({ kafka, topic: TOPICS.access.name, onRecord: (record) => takeAccess(access, record) })
  const organizations = new Organizations((organizationId) => void reopen(organizationId))
  const tenantsTopic = followTopic({ kafka, topic: TOPICS.tenants.name, onRecord: (record) => organizations.take(record) })

  const channels = new Map<ChannelName, Channel<unknown>>(
    [
      createEmail(config),
      createSlack(config),
      createSms(config),
      createConsole((message) => log.info(message, 'notification')),
    ].map((channel) => [channel.name, channel as Channel<unknown>]),
  )
  const breakers = new Breakers(
    {
      timeoutMs: config.SEND_TIMEOUT_MS,
      errorThresholdPercentage: config.BREAKER_ERROR_PERCENTAGE,
      volumeThreshold: config.BREAKER_VOLUME,
      rollingCountMs: config.BREAKER_WINDOW_MS,
      resetMs: config.BREAKER_RESET_MS,
      idleMs: config.BREAKER_IDLE_MS,
    },
    (destination, state) => {
      metrics.openBreakers.set(breakers.open)
      log.warn({ state }, 'breaker of a destination has changed')
      queryOf(pool)(sql.SAVE_BREAKER, [...(JSON.parse(destination) as string[]), state]).catch((error: unknown) =>
        log.warn({ reason: messageOf(error) }, 'the state of a breaker could not be stored'),
      )
    },
  )
  const courier = new Courier({
    pool,
    organizations,
    channels,
    breakers,
    log,
    publicUrl: config.PUBLIC_URL,
    withConsole: config.CONSOLE_CHANNEL,
    concurrency: config.SEND_CONCURRENCY,
    organizationName: (id) => organizations.of(id)?.name ?? id,
    random: Math.random,
    onDatabase: (up) => readiness.degrade('postgres', !up),
    onOutcome: (delivery, outcome, recorded, alert) => {
      metrics.deliveries.inc({ channel: delivery.channel, outcome: recorded.held ? outcome.kind : 'lost' })
      const attempt = outcome.kind === 'cancelled' ? null : outcome.attempt
      if (attempt !== null) metrics.sendSeconds.observe({ channel: delivery.channel }, attempt.latencyMs / 1000)
      if (recorded.first && alert !== null) {
        metrics.tellSeconds.observe({ severity: alert.severity }, Math.max(0, Date.now() - Date.parse(alert.createdAt)) / 1000)
      }
      if (outcome.kind === 'failed') {
        log.error(
          { alertId: delivery.alertId, deliveryId: delivery.id, channel: delivery.channel, reason: outcome.reason },
          'a delivery has failed',
        )
      }
    },
  })
  const reopen = async (organizationId: string): Promise<void> => {
    try {
      await reopenUntold(pool, organizationId)
      courier.wake()
    } catch (error) {
      // Repeated with the next record of the organization and at the next start.
      log.warn({ organizationId, reason: messageOf(error) }, 'untold alerts could not be planned again')
    }
  }

  await Promise.all([accessTopic.caughtUp, tenantsTopic.caughtUp])
  const producer = createProducer(kafka)
  const reader = readAlerts({
    kafka,
    producer,
    pool,
    organizations,
    catchUpOrganizations: () => tenantsTopic.catchUp(),
    onPlanned: () => courier.wake(),
    count: (outcome) => metrics.records.inc({ outcome }),
  })
  readerTroubles = () => reader.degraded()
  courier.start()
  const counting = setInterval(() => {
    queryOf(pool)<{ waiting: number; oldestSeconds: number }>(sql.COUNT_WAITING).then(
      ([row]) => {
        metrics.waiting.set(row?.waiting ?? 0)
        metrics.oldestWaiting.set(row?.oldestSeconds ?? 0)
      },
      () => undefined, // the courier reports that PostgreSQL is away
    )
  }, COUNT_EVERY_MS)

  const http = createRoutes({ pool, keys, access, log })
  const port = await listen(http, config.HOST, config.PORT)
  readiness.ready()
  log.info({ port }, 'notifier is ready')
  return {
    port,
    metricsPort: telemetry.port,
    async stop() {
      readiness.draining()
      clearInterval(counting)
      await http.close()
      await reader.stop()
      await courier.stop()
      await Promise.all([accessTopic.stop(), tenantsTopic.stop(), producer.close()])
      for (const channel of channels.values()) channel.close()
      await kafka.close()
      await pool.end()
      await telemetry.close()
      keyFile.stop()
    },
  }
}

const accessRecord = Compile(AccessRecord)

function takeAccess(access: AccessDirectory, record: KafkaRecord): void {
  const subject = record.key?.toString() ?? ''
  if (record.value === null) {
    access.apply(subject, null)
    return
  }
  const value: unknown = JSON.parse(record.value.toString())
  if (!accessRecord.Check(value)) throw new Error('a record of access is not valid')
  access.apply(value.subject, value)
}

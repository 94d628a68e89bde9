import { ALL_TOPICS, TOPICS } from '@tocsin/contracts'
import { isRetryable, RetryableError } from '@tocsin/errors'
import { createFailedAttempts, createHttpServer, listen, trustedProxies } from '@tocsin/http'
import { createKafka, createProducer, ensureTopics, followTopic, type Kafka, nameOfFault } from '@tocsin/kafka'
import { createReadiness, type Running, retryUntil } from '@tocsin/lifecycle'
import { connectRedis, createKeyUse, createTokenBuckets } from '@tocsin/redis'
import { type Logger, startTelemetry } from '@tocsin/telemetry'
import { MAX_BODY_BYTES } from './body.ts'
import type { IngestConfig } from './config.ts'
import { createIdMemory } from './id-memory.ts'
import { startIntake } from './intake.ts'
import { createMetrics } from './metrics.ts'
import { createReceive } from './receive.ts'
import { eventsRoute } from './routes/events.ts'
import { followTenants } from './tenants.ts'
import { startTicks } from './ticks.ts'

export interface RunningIngest extends Running {
  readonly port: number
  readonly telemetryPort: number
}

/**
 * Wires the service together. Listens at once and answers 503 until it is ready: topics exist, `rules` holds the pack and
 * `tenants` is read to its end (design §5.2). Resolves once it is ready.
 */
export async function startIngest(config: IngestConfig, log: Logger, signal: AbortSignal): Promise<RunningIngest> {
  const metrics = createMetrics()
  const readiness = createReadiness()
  const redis = connectRedis(config.REDIS_URL, { name: 'ingest', log })
  const kafka = createKafka({
    brokers: config.KAFKA_BROKERS,
    clientId: 'ingest',
    prefix: config.KAFKA_TOPIC_PREFIX,
    log,
    registry: metrics.registry,
  })
  const producer = createProducer(kafka)
  let intakeTroubles: () => readonly string[] = () => []
  const telemetry = await startTelemetry({
    name: 'ingest',
    host: config.HOST,
    port: config.METRICS_PORT,
    registry: metrics.registry,
    log,
    ready: () => {
      readiness.degrade('kafka', !kafka.isUp() || !producer.isUp())
      readiness.degrade('redis', !redis.isUp())
      const { status, degraded } = readiness.current()
      return { status, degraded: [...degraded, ...intakeTroubles()] }
    },
  })

  const rate = { perSecond: config.RATE_EVENTS_PER_SECOND, burst: config.RATE_BURST_EVENTS }
  const tenants = followTenants({ kafka, metrics, log, defaultRate: rate, now: Date.now })
  const rateLimit = createTokenBuckets({ redis, keyPrefix: config.REDIS_KEY_PREFIX, rate, clock: () => performance.now() })
  const memory = createIdMemory({ redis, keyPrefix: config.REDIS_KEY_PREFIX, seconds: config.ID_MEMORY_SECONDS })
  const receive = createReceive({ producer, memory, metrics })
  const app = createHttpServer({
    log,
    bodyLimitBytes: MAX_BODY_BYTES,
    settings: { forceCloseConnections: 'idle', trustProxy: trustedProxies(config.TRUSTED_PROXIES) },
  })
  eventsRoute(app, {
    tenants,
    failedKeys: createFailedAttempts({ perMinute: config.FAILED_KEYS_PER_MINUTE, clock: () => performance.now() }),
    keyUse: createKeyUse(redis, Date.now),
    rateLimit,
    receive,
    metrics,
    isReady: () => readiness.current().status !== 'starting',
    isDraining: () => readiness.current().status === 'draining',
    now: () => Date.now(),
  })
  const port = await listen(app, config.HOST, config.PORT)
  log.info({ port }, 'ingest listens')

  const until = <T>(what: string, attempt: () => Promise<T>) =>
    retryUntil(attempt, { signal, log, what, isFatal: (error) => !isRetryable(error) })
  const counts = { partitions: config.KAFKA_PARTITIONS, replication: config.KAFKA_REPLICATION }
  const faults = await until('topics', () => ensureTopics(kafka, ALL_TOPICS, counts))
  for (const fault of faults) readiness.degrade(nameOfFault(fault), true)
  await Promise.all([unlessAborted(tenants.caughtUp, signal), firstRule(kafka, signal)])
  const intake = startIntake({ kafka, producer, tenants, rateLimit, receive, now: () => Date.now() })
  intakeTroubles = () => intake.degraded()
  const ticks = startTicks({ kafka, producer, intervalMs: config.TICK_INTERVAL_MS, metrics, log })
  readiness.ready()
  log.info({ port }, 'ingest is ready')

  return {
    port,
    telemetryPort: telemetry.port,
    stop: async () => {
      readiness.draining()
      // What is under way is answered; then the ways in from Kafka; then what they write to.
      await app.close()
      await ticks.stop()
      await intake.stop()
      await tenants.stop()
      await producer.close()
      await kafka.close()
      await redis.close()
      await telemetry.close()
    },
  }
}

/** Resolves when `rules` holds a rule: persistence publishes the built-in pack at its start. */
async function firstRule(kafka: Kafka, signal: AbortSignal): Promise<void> {
  let found: () => void = () => {}
  const seen = new Promise<void>((resolve) => {
    found = resolve
  })
  const rules = followTopic({
    kafka,
    topic: TOPICS.rules.name,
    onRecord: ({ value }) => {
      if (value !== null) found()
    },
  })
  rules.caughtUp.catch(() => {})
  try {
    await unlessAborted(seen, signal)
  } finally {
    await rules.stop()
  }
}

const unlessAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  Promise.race([
    work,
    new Promise<never>((_, reject) => {
      const abort = () => reject(new RetryableError('stopping'))
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort, { once: true })
    }),
  ])

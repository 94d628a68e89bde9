import { fileURLToPath } from 'node:url'
import { followKeyRing } from '@tocsin/access'
import { ALL_TOPICS, TOPICS } from '@tocsin/contracts'
import { isRetryable, RetryableError } from '@tocsin/errors'
import { createFailedAttempts, listen } from '@tocsin/http'
import { createKafka, createProducer, ensureTopics, type Kafka, nameOfFault } from '@tocsin/kafka'
import { createReadiness, type Running, retryUntil } from '@tocsin/lifecycle'
import { assertPlainRole, createPool, migrate, type Pool, queryOf } from '@tocsin/postgres'
import { connectRedis, createKeyUse, createTokenBuckets } from '@tocsin/redis'
import { type Logger, startTelemetry } from '@tocsin/telemetry'
import { AnswerCache } from './answer-cache.ts'
import { startApplier } from './applier.ts'
import type { PersistenceConfig } from './config.ts'
import { followExceptionHits } from './exception-hits.ts'
import { expireAcknowledgements } from './expire-acknowledgements.ts'
import { forgetIdempotencyKeys } from './forget-idempotency-keys.ts'
import { startSealer } from './history/sealer.ts'
import { createHttpApi } from './http-api.ts'
import { createMetrics } from './metrics.ts'
import { makeOperator } from './operator.ts'
import { startPeriodic } from './periodic.ts'
import { FieldCipher } from './protection/field-cipher.ts'
import { startUpkeep } from './protection/upkeep.ts'
import { startRelay } from './relay.ts'
import { assertOffsetsFit } from './repositories/offsets.ts'
import { publishRulePack, readRulePack } from './rule-pack.ts'
import { PREPARE_PARTITIONS } from './sql/organization-sql.ts'

export const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url))
export const SCHEMA = 'persistence'
/** Applier, start-up and metrics; the relay has a connection of its own. */
const WORKER_CONNECTIONS = 4
/** An acknowledgement ends at most so much later than it was to. */
const EXPIRE_EVERY_MS = 2_000
const FORGET_EVERY_MS = 600_000
/** Readiness is asked for every few seconds: the question must not outlast its answer's use. */
const PING_LIMIT_MS = 1_000

export interface PersistenceService extends Running {
  readonly port: number
  /** What /health/ready names at present, apart from the dependencies themselves. */
  degraded(): readonly string[]
}

/** Wires the service together; resolves once it is ready. Waits for PostgreSQL and Kafka, refuses what waiting cannot mend. */
export async function startPersistence(config: PersistenceConfig, log: Logger, signal: AbortSignal): Promise<PersistenceService> {
  const metrics = createMetrics()
  const readiness = createReadiness()
  const until = <T>(what: string, attempt: () => Promise<T>) =>
    retryUntil(attempt, { signal, log, what, isFatal: (error) => !isRetryable(error) })

  const keyFile = await followKeyRing(config.KEYS_FILE, {
    onFault: (reason) => log.error({ reason }, 'the changed key file cannot be used: the one before it stays in force'),
  })
  const { ring } = keyFile
  const pack = await readRulePack(config.RULES_DIR)
  const apiPool = createPool(config.API_DATABASE_URL, { name: 'persistence api', max: config.API_CONNECTIONS, log })
  const workerPool = createPool(config.WORKER_DATABASE_URL, { name: 'persistence worker', max: WORKER_CONNECTIONS, log })
  const kafka = createKafka({
    brokers: config.KAFKA_BROKERS,
    clientId: 'persistence',
    prefix: config.KAFKA_TOPIC_PREFIX,
    log,
    registry: metrics.registry,
  })
  const redis = connectRedis(config.REDIS_URL, { name: 'persistence', log, onChange: (up) => readiness.degrade('redis', !up) })
  let degraded: () => readonly string[] = () => []
  const telemetry = await startTelemetry({
    name: 'persistence',
    host: config.HOST,
    port: config.METRICS_PORT,
    registry: metrics.registry,
    log,
    ready: async () => {
      readiness.degrade('kafka', !kafka.isUp())
      readiness.degrade('postgres', !(await answers(apiPool)))
      const { status, degraded: named } = readiness.current()
      return { status, degraded: [...named, ...degraded()] }
    },
  })

  await until('migrations', () => migrate(config.OWNER_DATABASE_URL, { directory: MIGRATIONS, schema: SCHEMA, log }))
  await until('database roles', () => Promise.all([assertPlainRole(apiPool), assertPlainRole(workerPool)]))
  const counts = { partitions: config.KAFKA_PARTITIONS, replication: config.KAFKA_REPLICATION }
  const faults = await until('topics', () => ensureTopics(kafka, ALL_TOPICS, counts))
  for (const fault of faults) readiness.degrade(nameOfFault(fault), true)
  await until('offsets', () => assertOffsetsFit(queryOf(workerPool), kafka, TOPICS.alerts.name))
  const partitions = await until('partitions', () => partitionsOf(kafka))
  await until('rule pack', async () => {
    await queryOf(workerPool)(PREPARE_PARTITIONS, [partitions])
    const changed = await publishRulePack(workerPool, pack, partitions)
    if (changed.length > 0)
      log.info({ rules: changed.map(({ ruleId, version, state }) => `${ruleId} ${version} ${state}`) }, 'rule pack changed')
    const subject = config.OPERATOR_SUBJECT
    if (subject !== undefined && (await makeOperator(workerPool, subject))) log.info({ subject }, 'subject made operator')
  })

  const producer = createProducer(kafka)
  const relay = startRelay({ databaseUrl: config.WORKER_DATABASE_URL, producer, log, metrics })
  const workerCipher = new FieldCipher(workerPool, ring.fields)
  const apiCipher = new FieldCipher(apiPool, ring.fields)
  const cache = new AnswerCache(redis, apiCipher)
  const applier = startApplier({
    kafka,
    producer,
    pool: workerPool,
    cipher: workerCipher,
    cache,
    metrics,
    maxRecords: config.APPLY_MAX_RECORDS,
  })
  const exceptionHits = followExceptionHits(kafka)
  const expiry = startPeriodic({
    what: 'expiry of acknowledgements',
    everyMs: EXPIRE_EVERY_MS,
    log,
    work: () => expireAcknowledgements({ pool: workerPool, cipher: workerCipher, cache }),
  })
  const sealer = startSealer({
    pool: workerPool,
    ring: ring.history,
    headsIntervalSeconds: config.HISTORY_HEADS_INTERVAL_SECONDS,
    log,
    metrics,
  })
  const upkeep = startUpkeep({
    pool: workerPool,
    workerCipher,
    apiCipher,
    ring,
    onChanged: (id) => cache.changed([id]),
    metrics,
    log,
  })
  const forgetting = startPeriodic({
    what: 'forgetting of idempotency keys',
    everyMs: FORGET_EVERY_MS,
    log,
    work: () => forgetIdempotencyKeys(workerPool),
  })
  degraded = () => [
    ...applier.degraded(),
    ...upkeep.degraded(),
    ...(relay.failing() ? ['outbox'] : []),
    ...(expiry.failing() ? ['acknowledgements'] : []),
    ...(sealer.late() ? ['history'] : []),
  ]
  const api = createHttpApi({
    pool: apiPool,
    cipher: apiCipher,
    cache,
    ring,
    failures: createFailedAttempts({ perMinute: config.FAILED_KEYS_PER_MINUTE, clock: () => performance.now() }),
    requests: createTokenBuckets({
      redis,
      keyPrefix: `${config.REDIS_KEY_PREFIX}${config.KAFKA_TOPIC_PREFIX}`,
      rate: { perSecond: config.API_REQUESTS_PER_MINUTE / 60, burst: config.API_REQUESTS_PER_MINUTE },
      clock: () => performance.now(),
    }),
    keyUse: createKeyUse(redis, Date.now),
    exceptionHits,
    cluster: { brokers: config.KAFKA_BROKERS, prefix: config.KAFKA_TOPIC_PREFIX },
    proxies: config.TRUSTED_PROXIES,
    environment: config.TOCSIN_ENV,
    metrics,
    log,
  })
  const port = await listen(api, config.HOST, config.PORT)
  readiness.ready()
  log.info({ port }, 'persistence is ready')

  return {
    port,
    degraded: () => degraded(),
    stop: async () => {
      readiness.draining()
      await api.close()
      await applier.stop()
      await sealer.stop()
      await relay.stop()
      await expiry.stop()
      await upkeep.stop()
      await forgetting.stop()
      await exceptionHits.stop()
      await producer.close()
      await kafka.close()
      await redis.close()
      await Promise.all([apiPool.end(), workerPool.end()])
      await telemetry.close()
      keyFile.stop()
    },
  }
}

/** How many partitions `audit.events` and `alerts` really have; new organizations are spread over these. */
async function partitionsOf(kafka: Kafka): Promise<number> {
  const [events, alerts] = await Promise.all([
    kafka.topicOffsets(TOPICS.auditEvents.name),
    kafka.topicOffsets(TOPICS.alerts.name),
  ])
  if (events.size !== alerts.size)
    throw new RetryableError(`audit.events has ${events.size} partitions and alerts ${alerts.size}: they must be equal`)
  return events.size
}

const answers = (pool: Pool): Promise<boolean> =>
  Promise.race([
    queryOf(pool)('SELECT 1').then(
      () => true,
      () => false,
    ),
    new Promise<boolean>((resolve) => setTimeout(resolve, PING_LIMIT_MS, false).unref()),
  ])

import { setTimeout as delay } from 'node:timers/promises'
import type { ConnectionOptions } from 'node:tls'
import { RetryableError, TerminalError } from '@tocsin/errors'
import { type Admin, type KafkaConfig, Kafka as KafkajsClient, type RetryOptions } from 'kafkajs'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { repairChecksums } from './crc32c.ts'
import { repairFetchResponses } from './fetch-response.ts'
import { asTocsinError, brokerErrorOf } from './kafka-error.ts'
import { kafkajsLogs } from './kafkajs-logs.ts'
import { repairKafkajs } from './kafkajs-repair.ts'
import { createMetrics, type KafkaMetrics } from './metrics.ts'
import { repairRecordEncoding } from './record-encoding.ts'
import { createSockets, type Sockets } from './sockets.ts'

export interface KafkaOptions {
  /** host:port, or several with commas. */
  readonly brokers: string | readonly string[]
  readonly clientId: string
  /** KAFKA_TOPIC_PREFIX: before every topic and group name. Default none. */
  readonly prefix?: string
  readonly log: Logger
  readonly registry?: Registry
  /** TLS: true, or Node's tls options. */
  readonly ssl?: boolean | ConnectionOptions
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    readonly username: string
    readonly password: string
  }
}

/** A cluster's address and this installation's names in it; opens no connection by itself. */
export interface Kafka {
  readonly clientId: string
  readonly prefix: string
  readonly log: Logger
  /** The real name of a topic or group. */
  name(plain: string): string
  /** The name without the prefix. */
  plainName(real: string): string
  /** Identity of the cluster, for rows that keep offsets. RetryableError when it is away. */
  clusterId(): Promise<string>
  /** Log start and end (next offset to be written) by partition. RetryableError when it is away or the topic is not there (yet). */
  topicOffsets(topic: string): Promise<ReadonlyMap<number, { readonly start: bigint; readonly end: bigint }>>
  /** Is the broker answering? For readiness' `degraded: ['kafka']`; tells the last attempt's result, asks nothing. */
  isUp(): boolean
  /** Closes the connection of administration. Close consumers and producers first. */
  close(): Promise<void>
}

/** What the other files of this library need of a handle; services have no use for it. */
export interface KafkaInternals extends Kafka {
  readonly metrics: KafkaMetrics
  /** A kafkajs client with connections of its own. */
  client(retry: RetryOptions): { readonly kafkajs: KafkajsClient; readonly sockets: Sockets }
  /** Runs `ask` on the connected admin client; whatever it throws comes out as RetryableError or TerminalError. */
  administer<T>(what: string, ask: (admin: Admin) => Promise<T>): Promise<T>
  /** The same for topics that were made just now, which the broker may not have heard of yet. */
  administerNew<T>(what: string, ask: (admin: Admin) => Promise<T>): Promise<T>
  markUp(up: boolean): void
}

const CONNECTION_TIMEOUT_MS = 3_000
/** A request that got no answer for so long counts as failed: silence on an open connection (half-open TCP) must end. */
const REQUEST_TIMEOUT_MS = 10_000
/** A topic that was made a moment ago: its leader is on its way. */
const UNSETTLED = new Set(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE'])
const UNSETTLED_NEW = new Set([...UNSETTLED, 'UNKNOWN_TOPIC_OR_PARTITION'])
const UNSETTLED_TRIES = 10
const UNSETTLED_PAUSE_MS = 100
const ADMIN_RETRY: RetryOptions = { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 }

export function createKafka(options: KafkaOptions): Kafka {
  repairKafkajs()
  repairChecksums()
  repairFetchResponses()
  repairRecordEncoding()
  const prefix = options.prefix ?? ''
  const log = options.log.child({ component: 'kafka' })
  const brokers = (typeof options.brokers === 'string' ? options.brokers.split(',') : [...options.brokers])
    .map((each) => each.trim())
    .filter((each) => each !== '')
  if (brokers.length === 0) throw new TerminalError('no Kafka broker is given', { code: 'TOCSIN_CONFIG_INVALID' })
  const metrics = createMetrics(options.registry)
  let up = true
  const logCreator = kafkajsLogs(log, () => {
    up = false
  })
  const security = {
    ...(options.ssl === undefined ? {} : { ssl: options.ssl }),
    ...(options.sasl === undefined ? {} : { sasl: options.sasl }),
  }

  const client: KafkaInternals['client'] = (retry) => {
    const sockets = createSockets()
    const config: KafkaConfig = {
      brokers,
      clientId: options.clientId,
      ...(security as Pick<KafkaConfig, 'ssl' | 'sasl'>),
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      retry,
      socketFactory: sockets.factory,
      logCreator,
    }
    return { kafkajs: new KafkajsClient(config), sockets }
  }

  /** Topics seen: once asked for one that is not there, kafkajs asks for it in every later request of that client, and fails all of them. */
  const known = new Set<string>()
  let admin: Promise<Admin> | undefined
  const connectedAdmin = () => {
    admin ??= (async () => {
      const made = client(ADMIN_RETRY).kafkajs.admin()
      await made.connect()
      return made
    })()
    return admin
  }
  const forgetAdmin = () => {
    const old = admin
    admin = undefined
    // Not at once: other questions may be under way on it.
    setTimeout(() => void old?.then((each) => each.disconnect()).catch(() => {}), REQUEST_TIMEOUT_MS).unref()
  }

  const untilSettled = async <T>(what: string, ask: (admin: Admin) => Promise<T>, unsettled: ReadonlySet<string>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await ask(await connectedAdmin())
        up = true
        return answer
      } catch (error) {
        // An answer with an error code came over a connection that works; anything else may have broken it.
        const type = brokerErrorOf(error)
        if (type === undefined || type === 'UNKNOWN_TOPIC_OR_PARTITION') {
          known.clear()
          forgetAdmin()
        }
        if (type === undefined || !unsettled.has(type) || attempt === UNSETTLED_TRIES) throw asTocsinError(error, what)
        await delay(UNSETTLED_PAUSE_MS)
      }
    }
  }

  const kafka: KafkaInternals = {
    clientId: options.clientId,
    prefix,
    log,
    metrics,
    client,
    name: (plain) => prefix + plain,
    plainName: (real) => (real.startsWith(prefix) ? real.slice(prefix.length) : real),
    isUp: () => up,
    markUp: (now) => {
      up = now
    },
    administer: (what, ask) => untilSettled(what, ask, UNSETTLED),
    administerNew: (what, ask) => untilSettled(what, ask, UNSETTLED_NEW),
    clusterId: async () => (await kafka.administer('the cluster was not described', (each) => each.describeCluster())).clusterId,
    topicOffsets: async (topic) => {
      const name = kafka.name(topic)
      if (!known.has(name)) {
        const topics = await kafka.administer('topics were not listed', (each) => each.listTopics())
        if (!topics.includes(name)) throw new RetryableError(`topic ${name} is not there (yet)`)
        known.add(name)
      }
      const offsets = await kafka.administer(`offsets of ${topic} were not read`, (each) => each.fetchTopicOffsets(name))
      return new Map(offsets.map(({ partition, low, high }) => [partition, { start: BigInt(low), end: BigInt(high) }]))
    },
    close: async () => {
      const old = admin
      admin = undefined
      await old?.then((each) => each.disconnect()).catch(() => {})
    },
  }
  internals.set(kafka, kafka)
  return kafka
}

const internals = new WeakMap<Kafka, KafkaInternals>()

/** The handle as this library sees it. */
export function internalsOf(kafka: Kafka): KafkaInternals {
  const found = internals.get(kafka)
  if (found === undefined) throw new TypeError('not a handle of createKafka')
  return found
}

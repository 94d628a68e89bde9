import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
export interface KafkaOptions {
  /** host:port, or several with commas. */
  readonly brokers: string | readonly string[]
  readonly clientId: string
  /** KAFKA_TOPIC_PREFIX: before every topic and group name. Default none. */
  readonly prefix?: string
  readonly log: Logger
  readonly registry?: Registry
  /** TLS: true, or Node's tls options. */
  readonly ssl?: boolean | import('node:tls').ConnectionOptions
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
  /** Log start and end (next offset to be written) by partition. RetryableError when it is away, TerminalError when the topic is missing. */
  topicOffsets(topic: string): Promise<ReadonlyMap<number, { readonly start: bigint; readonly end: bigint }>>
  /** Is the broker answering at present? For readiness' `degraded: ['kafka']`; by the last connection attempts, asks nothing. */
  isUp(): boolean
  /** Closes the connection of administration. Close consumers and producers first. */
  close(): Promise<void>
}
export function createKafka(options: KafkaOptions): Kafka {
  throw new Error(`not yet: ${options.clientId}`)
}

/** The cluster that a range of `audit.events` is read from. */
import type { TopicRange } from '@tocsin/backtest/topic-range'
import { TenantRecord, TOPICS } from '@tocsin/contracts'
import { createKafka, type Kafka, readToEnd } from '@tocsin/kafka'
import { pino } from 'pino'
import { Compile } from 'typebox/compile'

export interface RangeOptions {
  readonly brokers: string
  readonly prefix: string
  readonly partition: number
  /** Default: the log's beginning. */
  readonly from?: bigint | undefined
  readonly to?: bigint | undefined
}

const tenantRecord = Compile(TenantRecord)

/** Opens the cluster for as long as `use` takes. */
export async function withRange<T>(
  { brokers, prefix, partition, from, to }: RangeOptions,
  use: (range: TopicRange) => Promise<T>,
): Promise<T> {
  const kafka = createKafka({ brokers, clientId: 'tocsin-cli', prefix, log: pino({ level: 'silent' }) })
  try {
    const start = from ?? (await kafka.topicOffsets(TOPICS.auditEvents.name)).get(partition)?.start ?? 0n
    return await use({ kafka, partition, from: start, to })
  } finally {
    await kafka.close()
  }
}

/** The organizations as the installation has them now. */
export async function readTenants(kafka: Kafka): Promise<ReadonlyMap<string, TenantRecord>> {
  const tenants = new Map<string, TenantRecord>()
  await readToEnd({
    kafka,
    topic: TOPICS.tenants.name,
    onRecord: ({ key, value }) => {
      if (value === null) tenants.delete(key?.toString() ?? '')
      const tenant = json(value)
      if (tenantRecord.Check(tenant)) tenants.set(tenant.organizationId, tenant)
    },
  })
  return tenants
}

function json(value: Buffer | null): unknown {
  try {
    return value === null ? undefined : JSON.parse(value.toString())
  } catch {
    return undefined
  }
}

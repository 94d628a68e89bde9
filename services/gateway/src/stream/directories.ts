import { setTimeout as delay } from 'node:timers/promises'
import { AccessDirectory } from '@tocsin/access'
import { AccessRecord, TenantRecord, TOPICS } from '@tocsin/contracts'
import { followTopic, type Kafka, type KafkaRecord } from '@tocsin/kafka'
import type { Logger } from '@tocsin/telemetry'
import { Compile } from 'typebox/compile'

/** Who may go where, and where in `alerts` an organization lies: both compacted topics, held whole. */
export interface Directories {
  readonly access: AccessDirectory
  partitionOf(organizationId: string): number | undefined
  readonly caughtUp: Promise<void>
  /** Reads both to their present end; again, for up to GRACE_MS, while `known` is false: what persistence made a moment ago may still be on its way. */
  refresh(known: () => boolean): Promise<void>
  isUp(): boolean
  /** Troubles of reading, for readiness. */
  degraded(): readonly string[]
  stop(): Promise<void>
}

const GRACE_MS = 1_500
const ASK_EVERY_MS = 100

const accessCheck = Compile(AccessRecord)
const tenantCheck = Compile(TenantRecord)

/** `onAccess` is called after the access of `subject` may have changed. */
export function followDirectories(options: {
  readonly kafka: Kafka
  readonly log: Logger
  readonly onAccess: (subject: string) => void
}): Directories {
  const { kafka, log } = options
  const access = new AccessDirectory()
  const partitions = new Map<string, number>()

  const invalid = ({ topic, partition, offset }: KafkaRecord) =>
    log.error({ topic, partition, offset: String(offset) }, 'invalid record in a compacted topic passed over')

  const takeAccess = (record: KafkaRecord) => {
    const subject = record.key?.toString('utf8')
    const value = parse(record.value)
    if (subject === undefined || (value !== null && !accessCheck.Check(value))) return invalid(record)
    access.apply(subject, value)
    options.onAccess(subject)
  }
  const takeTenant = (record: KafkaRecord) => {
    const organizationId = record.key?.toString('utf8')
    const value = parse(record.value)
    if (organizationId === undefined || (value !== null && !tenantCheck.Check(value))) return invalid(record)
    if (value === null) partitions.delete(organizationId)
    else partitions.set(organizationId, value.partition)
  }

  const followers = [
    followTopic({ kafka, topic: TOPICS.access.name, onRecord: takeAccess }),
    followTopic({ kafka, topic: TOPICS.tenants.name, onRecord: takeTenant }),
  ]
  let refreshing: Promise<void> | null = null
  const readToEnd = (): Promise<void> => {
    // Many sockets may ask at once; one reading serves those that came before it began.
    refreshing ??= Promise.all(followers.map((each) => each.catchUp()))
      .then(() => undefined)
      .finally(() => {
        refreshing = null
      })
    return refreshing
  }
  return {
    access,
    partitionOf: (organizationId) => partitions.get(organizationId),
    caughtUp: Promise.all(followers.map((each) => each.caughtUp)).then(() => undefined),
    refresh: async (known) => {
      const end = performance.now() + GRACE_MS
      for (;;) {
        await readToEnd()
        if (known() || performance.now() > end) return
        await delay(ASK_EVERY_MS)
      }
    },
    isUp: () => followers.every((each) => each.isUp()),
    degraded: () => followers.flatMap((each) => each.degraded()),
    stop: async () => {
      await Promise.all(followers.map((each) => each.stop()))
    },
  }
}

/** undefined where it is not JSON, null for a tombstone. */
function parse(value: Buffer | null): unknown {
  if (value === null) return null
  try {
    return JSON.parse(value.toString('utf8')) ?? undefined
  } catch {
    return undefined
  }
}

const DAY_MS = 86_400_000
const MIB = 1_048_576
const DEAD_ALLOWANCE_BYTES = 64 * 1024

/** `audit.events`, `alerts` and their kin share this count: an organization has one partition number on all of them. */
export const LOCAL_PARTITIONS = 8

export interface TopicSpec {
  readonly name: string
  /** `shared`: the installation's partition count (KAFKA_PARTITIONS); else that many. */
  readonly partitions: 'shared' | number
  readonly key: string
  readonly config: Readonly<Record<string, string>>
}

/** On every topic: append time, because with event time retention deletes a backfill before it is read (design §4). */
const base = { 'message.timestamp.type': 'LogAppendTime' }
const kept = (days: number, maxBytes = MIB) => ({
  ...base,
  'cleanup.policy': 'delete',
  'retention.ms': String(days * DAY_MS),
  'max.message.bytes': String(maxBytes),
})
const compacted = { ...base, 'cleanup.policy': 'compact', 'max.message.bytes': String(MIB) }

const live = {
  auditIntake: { name: 'audit.intake', partitions: 'shared', key: 'any', config: kept(3, 4 * MIB) },
  auditEvents: { name: 'audit.events', partitions: 'shared', key: 'organizationId', config: kept(7, 4 * MIB) },
  alerts: { name: 'alerts', partitions: 'shared', key: 'organizationId', config: kept(30) },
  rules: { name: 'rules', partitions: 1, key: 'rule', config: compacted },
  tenants: { name: 'tenants', partitions: 1, key: 'organizationId', config: compacted },
  access: { name: 'access', partitions: 1, key: 'subject', config: compacted },
  detectorSnapshots: {
    name: 'detector.snapshots',
    partitions: 'shared',
    key: 'partition, snapshot offset, member id, chunk',
    config: { ...compacted, 'segment.bytes': String(64 * MIB), 'min.cleanable.dirty.ratio': '0.1' },
  },
  exceptionHits: { name: 'exception.hits', partitions: 1, key: 'organizationId', config: compacted },
  historyHeads: {
    name: 'history.heads',
    partitions: 1,
    key: 'organizationId',
    // For ever: a head is worth more the older it is.
    config: { ...base, 'cleanup.policy': 'delete', 'retention.ms': '-1', 'max.message.bytes': String(MIB) },
  },
} as const satisfies Record<string, TopicSpec>

const deadOf = (spec: TopicSpec): TopicSpec => ({
  name: `${spec.name}.dead`,
  partitions: 1,
  key: 'as the source',
  config: kept(30, Number(spec.config['max.message.bytes']) + DEAD_ALLOWANCE_BYTES),
})

/** Every topic, by the name the code uses. Real names are `KAFKA_TOPIC_PREFIX + name`. */
export const TOPICS: typeof live = live
export const ALL_TOPICS: readonly TopicSpec[] = [
  ...Object.values(live),
  deadOf(live.auditIntake),
  deadOf(live.auditEvents),
  deadOf(live.alerts),
  deadOf(live.rules),
  deadOf(live.tenants),
  deadOf(live.access),
]
export const deadTopicOf = (topic: string): string => `${topic}.dead`

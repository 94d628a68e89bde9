import { setTimeout as delay } from 'node:timers/promises'
import type { TopicSpec } from '@tocsin/contracts'
// Node finds only some names of this CommonJS package; ConfigResourceTypes is not among them.
import kafkajs from 'kafkajs'
import { internalsOf, type Kafka } from './kafka.ts'

/** A setting of an existing topic that is not as wanted: reported, never changed by us. */
export interface TopicFault {
  readonly topic: string
  /** Name of the setting, or `partitions`. */
  readonly setting: string
  readonly wanted: string
  readonly found: string
}

const DELETION_PAUSE_MS = 50

export interface TopicCounts {
  /** Of every `shared` topic. */
  readonly partitions: number
  readonly replication: number
}

/** A fault as readiness names it: `topic:NAME:setting`. */
export const nameOfFault = (fault: TopicFault): string => `topic:${fault.topic}:${fault.setting}`

/** Creates the missing topics (several services may at once) and compares the settings of the others. RetryableError when Kafka is away. */
export async function ensureTopics(handle: Kafka, topics: readonly TopicSpec[], counts: TopicCounts): Promise<TopicFault[]> {
  const kafka = internalsOf(handle)
  const wanted = topics.map((spec) => ({
    spec,
    name: kafka.name(spec.name),
    partitions: spec.partitions === 'shared' ? counts.partitions : spec.partitions,
  }))
  const existing = new Set(await kafka.administer('topics were not listed', (admin) => admin.listTopics()))
  const missing = wanted.filter(({ name }) => !existing.has(name))
  if (missing.length > 0) {
    await kafka.administerNew('topics were not created', (admin) =>
      // One that another service creates meanwhile is no error: kafkajs answers false, and its settings are compared below like any other's.
      admin.createTopics({
        waitForLeaders: true,
        topics: missing.map(({ spec, name, partitions }) => ({
          topic: name,
          numPartitions: partitions,
          replicationFactor: counts.replication,
          configEntries: Object.entries(spec.config).map(([setting, value]) => ({ name: setting, value })),
        })),
      }),
    )
    kafka.log.info({ topics: missing.map(({ name }) => name) }, 'topics created')
  }
  const [metadata, configs] = await kafka.administerNew('settings of topics were not read', async (admin) =>
    Promise.all([
      admin.fetchTopicMetadata({ topics: wanted.map(({ name }) => name) }),
      admin.describeConfigs({
        includeSynonyms: false,
        resources: wanted.map(({ spec, name }) => ({
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name,
          configNames: Object.keys(spec.config),
        })),
      }),
    ]),
  )
  const partitionsOf = new Map(metadata.topics.map((topic) => [topic.name, topic.partitions.length]))
  const settingsOf = new Map(
    configs.resources.map((resource) => [
      resource.resourceName,
      new Map(resource.configEntries.map((entry) => [entry.configName, entry.configValue])),
    ]),
  )
  const faults = wanted.flatMap(({ spec, name, partitions }): TopicFault[] => {
    const compare = (setting: string, want: string, found: string | undefined): TopicFault[] =>
      want === found ? [] : [{ topic: spec.name, setting, wanted: want, found: found ?? 'unknown' }]
    return [
      ...compare('partitions', String(partitions), String(partitionsOf.get(name) ?? 0)),
      ...Object.entries(spec.config).flatMap(([setting, want]) => compare(setting, want, settingsOf.get(name)?.get(setting))),
    ]
  })
  kafka.metrics.topicFaults.reset()
  for (const fault of faults) {
    kafka.metrics.topicFaults.set({ topic: fault.topic, setting: fault.setting }, 1)
    kafka.log.error({ ...fault, topic: kafka.name(fault.topic) }, 'a topic has a wrong setting: change it with kafka-configs')
  }
  return faults
}

/** A setting of a topic as it is in force; undefined where the broker knows none of that name. RetryableError when Kafka is away. */
export async function topicSetting(handle: Kafka, topic: string, setting: string): Promise<string | undefined> {
  const kafka = internalsOf(handle)
  const { resources } = await kafka.administer(`${setting} of ${topic} was not read`, (admin) =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: kafka.name(topic), configNames: [setting] }],
    }),
  )
  return resources[0]?.configEntries.find(({ configName }) => configName === setting)?.configValue
}

/** Deletes the records of a partition below `before`, as retention does. For tests and operators' tools. */
export async function deleteRecords(handle: Kafka, topic: string, partition: number, before: bigint): Promise<void> {
  const kafka = internalsOf(handle)
  await kafka.administer('records were not deleted', (admin) =>
    admin.deleteTopicRecords({ topic: kafka.name(topic), partitions: [{ partition, offset: String(before) }] }),
  )
}

/** How many members a group has as its coordinator knows, killed ones whose session lasts included. RetryableError when Kafka is away. */
export async function groupSize(handle: Kafka, groupId: string): Promise<number> {
  const kafka = internalsOf(handle)
  const { groups } = await kafka.administer(`group ${groupId} was not described`, (admin) =>
    admin.describeGroups([kafka.name(groupId)]),
  )
  return groups[0]?.members.length ?? 0
}

/** Forgets what a group has committed. The group must have no member. For tools. */
export async function deleteGroup(handle: Kafka, groupId: string): Promise<void> {
  const kafka = internalsOf(handle)
  await kafka.administer('a group was not deleted', (admin) => admin.deleteGroups([kafka.name(groupId)]))
}

/** Deletes a topic and waits until the broker no longer lists it. For tools and tests. */
export async function deleteTopic(handle: Kafka, topic: string): Promise<void> {
  const kafka = internalsOf(handle)
  const name = kafka.name(topic)
  await kafka.administer('a topic was not deleted', async (admin) => {
    await admin.deleteTopics({ topics: [name] })
    while ((await admin.listTopics()).includes(name)) await delay(DELETION_PAUSE_MS)
  })
}

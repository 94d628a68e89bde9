export { backoffMs } from './back-off.ts'
export { committedOffset } from './committed-offset.ts'
export {
  type Batch,
  type ConsumerOptions,
  type Handled,
  type Item,
  type OwnOffsets,
  type Reading,
  type RunningConsumer,
  runConsumer,
} from './consumer.ts'
export { type DeadLetterReason, deadLetter, deadLetterOf } from './dead-letter.ts'
export { type Disposition, deadLettered, done, dropped, halt, retry } from './disposition.ts'
export { type Following, type FollowOptions, followTopic, readToEnd } from './follow.ts'
export { createKafka, type Kafka, type KafkaOptions } from './kafka.ts'
export type { PartitionOwner, TopicPartition, Turn, TurnContext } from './partition-owner.ts'
export { readPartitions } from './partition-reader.ts'
export { createProducer, type Producer } from './producer.ts'
export type { PartitionReader, ReaderOptions } from './reader-options.ts'
export {
  type HeaderValue,
  headerOf,
  type KafkaRecord,
  type OutgoingRecord,
  partOf,
  type RecordPart,
  type RecordPlace,
} from './record.ts'
export {
  deleteGroup,
  deleteRecords,
  deleteTopic,
  ensureTopics,
  groupSize,
  nameOfFault,
  type TopicCounts,
  type TopicFault,
  topicSetting,
} from './topics.ts'

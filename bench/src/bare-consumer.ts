/**
 * A process of its own: reads a topic with kafkajs and counts, nothing more. Prints `{ "records", "ms", "cpuMs" }` from the first batch to the last one.
 * Arguments: brokers, topic, group, how many records.
 */
import { Kafka, logLevel } from 'kafkajs'

const [brokers = '', topic = '', groupId = '', wanted = '0'] = process.argv.slice(2)
const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'bare', logLevel: logLevel.NOTHING })
// The settings of libs/kafka's readers.
const consumer = kafka.consumer({
  groupId,
  sessionTimeout: 6_000,
  heartbeatInterval: 1_500,
  maxWaitTimeInMs: 100,
  maxBytesPerPartition: 1_048_576,
})
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
let records = 0
let first = 0
let firstAt = 0
let cpuBefore = process.cpuUsage()
await consumer.run({
  autoCommit: false,
  eachBatch: async ({ batch }) => {
    records += batch.messages.length
    if (firstAt === 0) {
      firstAt = performance.now()
      cpuBefore = process.cpuUsage()
      first = records
    }
    if (records < Number(wanted)) return
    const { user, system } = process.cpuUsage(cpuBefore)
    const answer = { records: records - first, ms: performance.now() - firstAt, cpuMs: (user + system) / 1_000 }
    process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0))
  },
})

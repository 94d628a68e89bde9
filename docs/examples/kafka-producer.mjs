// Sends one event to Tocsin through Kafka. Beside a running `npm start`: node docs/examples/kafka-producer.mjs
// Elsewhere: KAFKA_BROKERS=host:port TOCSIN_KEY=tk_… node docs/examples/kafka-producer.mjs
import { readFileSync } from 'node:fs'
import { Kafka } from 'kafkajs'

const local = () => JSON.parse(readFileSync(new URL('../../.local/connection.json', import.meta.url), 'utf8'))
const {
  KAFKA_BROKERS: brokers = local().kafka,
  TOCSIN_KEY: key = local().ingestKey,
  KAFKA_TOPIC_PREFIX: prefix = '',
} = process.env

const producer = new Kafka({ clientId: 'example', brokers: brokers.split(',') }).producer({ idempotent: true })
const event = {
  id: `example-${Date.now()}`, // The same id is counted once, so a failed send may be repeated.
  timestamp: new Date().toISOString(),
  action: 'data.export',
  status: 'success',
  principalId: 'alice@example.com',
  recordCount: 12,
}

await producer.connect()
// The header, and nothing in the value, says whose event it is. It is not forwarded.
await producer.send({
  topic: `${prefix}audit.intake`,
  acks: -1,
  messages: [{ value: JSON.stringify(event), headers: { 'tocsin-key': key } }],
})
await producer.disconnect()
console.log(`sent ${event.id}`)

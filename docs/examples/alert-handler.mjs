// A handler of alerts: prints what happens to each. Beside a running `npm start`: node docs/examples/alert-handler.mjs
// Elsewhere: KAFKA_BROKERS=host:port node docs/examples/alert-handler.mjs. The contract: docs/handlers.md
import { readFileSync } from 'node:fs'
import { Kafka, logLevel } from 'kafkajs'

const local = () => JSON.parse(readFileSync(new URL('../../.local/connection.json', import.meta.url), 'utf8'))
const { KAFKA_BROKERS: brokers = local().kafka, KAFKA_TOPIC_PREFIX: prefix = '' } = process.env
const FIGURES = new Set(['alert.created', 'alert.revised', 'alert.closed'])

/** Alerts by id. A handler that must remember over a restart keeps them in a store, with the offset, in one transaction. */
const alerts = new Map()

/** Joins a record into its alert; false: an older half, which comes again after a restart or a replay. */
function apply(type, value) {
  const alert = alerts.get(value.id) ?? { revision: 0, version: 0, status: 'active' }
  const number = FIGURES.has(type) ? 'revision' : 'version'
  if (value[number] <= alert[number]) return false
  const { changes, ...rest } = value
  // The figures are told whole, of the status only what changed; neither half touches the other.
  alerts.set(value.id, number === 'revision' ? { ...alert, ...rest } : { ...alert, ...changes, version: value.version })
  return true
}

const kafka = new Kafka({ clientId: 'example-handler', brokers: brokers.split(','), logLevel: logLevel.ERROR })
const consumer = kafka.consumer({ groupId: `${prefix}example-handler` }) // A group of its own: nobody waits for it.
await consumer.connect()
await consumer.subscribe({ topic: `${prefix}alerts`, fromBeginning: true })
await consumer.run({
  eachMessage: async ({ message }) => {
    const type = message.headers['tocsin-type']?.toString() ?? ''
    if (!type.startsWith('alert.') || message.headers['replay-for'] !== undefined) return // Another consumer's replay.
    const value = JSON.parse(message.value.toString())
    if (!apply(type, value)) return
    const { title = '(figures not seen)', severity = '?', status, count = 0 } = alerts.get(value.id)
    console.log(JSON.stringify({ type, id: value.id, title, severity, status, count, actor: value.actor ?? 'detector' }))
  },
})
process.once('SIGTERM', () => consumer.disconnect()) // Leaves the group, so that another instance goes on at once.

/** A launcher for tests: starts PostgreSQL and Redis (with `containers`: all three, there) in the given folder, says so, and waits to be killed. */
import { startInfrastructure } from '../src/infrastructure.ts'

const [dir, where] = process.argv.slice(2)
if (!dir) throw new Error('usage: start-and-wait.ts FOLDER [containers]')
await startInfrastructure({
  dir,
  durable: false,
  temporary: true,
  preferContainers: where === 'containers',
  // Kafka is not part of what is tried, and takes the longest.
  env: where === 'containers' ? {} : { KAFKA_BROKERS: '127.0.0.1:1' },
  say: (line) => console.error(line),
})
console.log('started')
setInterval(() => undefined, 1_000)

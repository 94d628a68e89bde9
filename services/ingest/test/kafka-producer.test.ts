import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { testInfrastructure, waitFor } from '@tocsin/testing'
import { expect, it } from 'vitest'
import { createWorld } from './world.ts'

const EXAMPLE = fileURLToPath(new URL('../../../docs/examples/kafka-producer.mjs', import.meta.url))

it('the example producer of the documentation sends an event that arrives', async () => {
  const world = await createWorld()
  try {
    const organization = await world.organization()
    const env = {
      ...process.env,
      KAFKA_BROKERS: testInfrastructure().kafkaBrokers,
      KAFKA_TOPIC_PREFIX: world.prefix,
      TOCSIN_KEY: organization.key,
    }
    const { stdout } = await promisify(execFile)(process.execPath, [EXAMPLE], { env })
    const [event] = await waitFor(
      async () => {
        const events = await world.events(organization)
        return events.length > 0 && events
      },
      { limitMs: 20_000, what: 'the event in audit.events' },
    )
    expect([`sent ${event?.id}\n`, event?.operation, event?.recordCount]).toEqual([stdout, 'export', 12])
  } finally {
    await world.close()
  }
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { waitFor } from '@tocsin/testing'
import { expect, test } from 'vitest'
import { createStreamWorld } from './stream-world.ts'
import { figuresOf } from './world.ts'

const EXAMPLE = fileURLToPath(new URL('../../../docs/examples/alert-handler.mjs', import.meta.url))

test('the example handler of the documentation tells what happens to an alert, each half once and in its order', async () => {
  const world = await createStreamWorld()
  const instance = await world.start()
  const organization = await world.newOrganization(instance, 'Handled')
  const figures = figuresOf(organization.organizationId)
  const publish = (type: string, over: object) =>
    world.publish(organization.partition, [{ type, value: { ...figures, ...over } }])
  await publish('alert.created', {})
  const env = { ...process.env, KAFKA_BROKERS: world.config.KAFKA_BROKERS, KAFKA_TOPIC_PREFIX: world.config.KAFKA_TOPIC_PREFIX }
  const child = spawn(process.execPath, [EXAMPLE], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const lines: { type: string; id: string; status: string; count: number; actor: string }[] = []
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)))
    const told = (count: number) => waitFor(() => lines.length >= count, { limitMs: 60_000, what: `${count} lines` })
    await told(1)
    await waitFor(
      async () => (await world.ask(instance, 'POST', `/api/alerts/${figures.id}/acknowledge`, organization.token)).status === 200,
      { limitMs: 60_000, what: 'the alert in persistence' },
    )
    await told(2)
    await publish('alert.created', {})
    await publish('alert.revised', { revision: 3, count: 12 })
    await publish('alert.revised', { revision: 2, count: 9 })
    await publish('alert.closed', { revision: 4, count: 15, open: false })
    await told(4)
    expect(lines.map(({ type, status, count, actor }) => [type, status, count, actor])).toEqual([
      ['alert.created', 'active', 5, 'detector'],
      ['alert.acknowledged', 'acknowledged', 5, `admin@${organization.slug}`],
      ['alert.revised', 'acknowledged', 12, 'detector'],
      ['alert.closed', 'acknowledged', 15, 'detector'],
    ])
    child.kill('SIGTERM')
    expect((await once(child, 'exit'))[0]).toBe(0)
  } finally {
    child.kill('SIGKILL')
    await world.close()
  }
})

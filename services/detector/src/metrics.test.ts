import { expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'

it('the hits of each exception are told by organization and exception, while their partitions are held', async () => {
  const held = [
    {
      counters: { excepted: 3 },
      gauges: {},
      exceptionHits: [{ organizationId: 'acme', hits: [['scanner', 3] as const, ['unused', 0] as const] }],
      logTime: null,
    },
  ]
  const { registry } = createMetrics(
    () => held,
    () => undefined,
  )
  const told = await registry.metrics()
  expect(told).toContain('tocsin_detector_exception_hits{organization="acme",exception="scanner"} 3')
  expect(told).toContain('tocsin_detector_exception_hits{organization="acme",exception="unused"} 0')
  expect(told).toContain('tocsin_detector_engine_count{figure="excepted"} 3')
  held.length = 0
  expect(await registry.metrics()).not.toContain('exception="scanner"')
})

import { expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'

it('totals of the engines are told while their partitions are held, and no label names an organization', async () => {
  const held = [{ counters: { excepted: 3 }, gauges: {}, logTime: null }]
  held.push({ counters: { excepted: 4 }, gauges: {}, logTime: null })
  const { registry } = createMetrics(
    () => held,
    () => undefined,
  )
  expect(await registry.metrics()).toContain('tocsin_detector_engine_count{figure="excepted"} 7')
  held.length = 0
  expect(await registry.metrics()).not.toContain('figure="excepted"')
  const labels = registry.getMetricsAsArray().flatMap((metric) => ('labelNames' in metric ? metric.labelNames : []))
  expect(new Set(labels)).toEqual(new Set(['figure', 'kind', 'type', 'code', 'outcome']))
})

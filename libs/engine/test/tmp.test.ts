import fc from 'fast-check'
import { it } from 'vitest'
import { denseStreams } from './dense-streams.ts'
import { expectAgreement, runModel } from './harness.ts'
import { runs } from './runs.ts'
import { streams } from './streams.ts'
const sum: Record<string, number> = {}
it('x', () => {
  const room = fc.integer({ min: 1, max: 12 }), none = fc.constant(1_000_000)
  for (const l of [{ eventsPerGroup: room, eventsPerOrganization: none, groupsPerOrganization: none }, { eventsPerGroup: none, eventsPerOrganization: room, groupsPerOrganization: room }])
  fc.assert(fc.property(fc.oneof(streams(40), denseStreams(60)), fc.record(l), (s, limits) => {
    const m = runModel({ ...s, limits })
    for (const [k, v] of Object.entries(m.counters)) sum[k] = (sum[k] ?? 0) + v
    sum['open'] = (sum['open'] ?? 0) + Number(m.isOpen)
    sum['alerts'] = (sum['alerts'] ?? 0) + m.changes.flat().length
    expectAgreement({ ...s, limits })
  }), runs(200))
  console.log(sum)
})

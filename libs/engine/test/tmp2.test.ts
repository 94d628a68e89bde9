import fc from 'fast-check'
import { it } from 'vitest'
import { denseStreams } from './dense-streams.ts'
import { engineRecords, logOf, newEngine } from './harness.ts'
import { describeLog } from './describe-log.ts'
import { Model } from './model.ts'
import { streams } from './streams.ts'
it('x', () => {
  const room = fc.integer({ min: 1, max: 12 }), none = fc.constant(1_000_000)
  const l = { eventsPerGroup: none, eventsPerOrganization: room, groupsPerOrganization: room }
  fc.assert(fc.property(fc.oneof(streams(40), denseStreams(60)), fc.record(l), (s, limits) => {
    const stream = { ...s, limits }
    const e = newEngine(stream), m = new Model(s.day0, undefined, limits)
    const recs = engineRecords(stream)
    for (const [i, r] of logOf(stream).entries()) {
      e.process(recs[i] as never); m.process(r)
      const a = e.counters(), b = m.counters
      console.log(describeLog([r]), JSON.stringify(e.gauges()), a.latenessShortened, a.groupEvicted, 'model', b.latenessShortened, b.groupEvicted, m.isOpen)
    }
  }), { seed: 1445897866, path: process.env['P'] ?? '', numRuns: 1, endOnFailure: true })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changingStreams } from './changing-streams.ts'
import { denseStreams } from './dense-streams.ts'
import { engineRecords, expectAgreement, newEngine, PARTITION, runEngine, TOPIC } from './harness.ts'
import type { ModelRecord } from './model-types.ts'
import { runs } from './runs.ts'
import { limited, makeEvent, ORGANIZATIONS, streams } from './streams.ts'

describe('the engine and the brute-force model', () => {
  it('emit the same changes after every record of short streams', () => {
    fc.assert(fc.property(streams(16), expectAgreement), runs(600))
  })

  it('emit the same changes after every record of long streams', () => {
    fc.assert(fc.property(streams(90), expectAgreement), runs(150))
  })
})

describe('the engine and the model, in dense groups', () => {
  it('emit the same changes after every record', () => {
    fc.assert(fc.property(denseStreams(180), expectAgreement), runs(60))
  })
})

describe('the engine and the model, while settings and rules change', () => {
  it('emit the same changes after every record', () => {
    fc.assert(fc.property(changingStreams(40), expectAgreement), runs(200))
  })
})

describe('the engine and the model, with little room', () => {
  it('drop the same events of full groups', () => {
    const full = limited(fc.oneof(streams(30), denseStreams(60)), ['eventsPerGroup'])
    fc.assert(fc.property(full, expectAgreement), runs(200))
  })

  it('shorten lateness and evict groups of full organizations in the same order', () => {
    const full = limited(streams(40), ['eventsPerOrganization', 'groupsPerOrganization'])
    const all = limited(streams(40), ['eventsPerGroup', 'eventsPerOrganization', 'groupsPerOrganization'])
    fc.assert(fc.property(fc.oneof(full, all), expectAgreement), runs(250))
  })
})

describe('a full organization', () => {
  const START = Date.parse('2026-07-01T09:00:00Z')
  /** At `second` a login, by its own time `ago` seconds earlier. */
  const record = (i: number, second: number, principalId: string, outcome: 'failure' | 'success', ago = 0): ModelRecord => {
    const appendTime = START + second * 1000
    const login = { category: 'authentication', operation: 'login', outcome, principalId } as const
    return { kind: 'event', appendTime, event: makeEvent({ id: `e${i}`, t: appendTime - ago * 1000, ...login }) }
  }
  const stream = {
    day0: Date.parse('2026-07-01T00:00:00Z'),
    settings: new Map([
      [ORGANIZATIONS[0], { failedAuthThreshold: 2, failedAuthTimeWindow: 2000, alertCooldown: 0, latenessMs: 21_000 }],
    ]),
  }

  it('lets a group go by the record that ends its alert', () => {
    expectAgreement({
      ...stream,
      limits: { eventsPerGroup: 10, eventsPerOrganization: 10, groupsPerOrganization: 1 },
      records: [
        record(0, 0, 'u2', 'failure'),
        record(1, 0, 'u2', 'failure'),
        record(2, 1, 'u1', 'success'), // u2 has an alert, so u1 goes
        record(3, 3, 'u2', 'success'), // held when the alert ends
        record(4, 25.5, 'u1', 'success'), // ends it: now u2 goes
        record(5, 25.5, 'u1', 'success'),
      ],
    })
  })

  it('does not take a refused event for the last one that came', () => {
    expectAgreement({
      ...stream,
      limits: { eventsPerGroup: 1, eventsPerOrganization: 10, groupsPerOrganization: 2 },
      records: [
        record(0, 0, 'u2', 'success'),
        record(1, 1, 'u1', 'success'),
        record(2, 2, 'u2', 'success', 10), // refused: older than what the full group holds
        record(3, 3, 'u3', 'success'), // u2 goes
        record(4, 4, 'u1', 'success', 10), // refused, because u1 is still there
      ],
    })
  })
})

describe('the same log', () => {
  it('gives the same changes, byte for byte', () => {
    fc.assert(
      fc.property(streams(40), (stream) => {
        const [first, second] = [newEngine(), newEngine()]
        for (const record of engineRecords(stream)) {
          expect(JSON.stringify(first.process(record))).toBe(JSON.stringify(second.process(record)))
        }
      }),
      runs(60),
    )
  })

  it('gives alerts whose revisions count up and whose end is final', () => {
    fc.assert(
      fc.property(streams(60), (stream) => {
        const revisions = new Map<string, number>()
        const closed = new Set<string>()
        for (const { type, alert } of runEngine(stream).flat()) {
          // Forgotten alerts may be opened again, by the same event, under the same id (D13).
          if (type === 'alert.created' && closed.delete(alert.id)) revisions.delete(alert.id)
          expect(closed.has(alert.id)).toBe(false)
          expect(alert.revision).toBe((revisions.get(alert.id) ?? 0) + 1)
          expect(type === 'alert.created').toBe(alert.revision === 1)
          expect(alert.open).toBe(type !== 'alert.closed')
          revisions.set(alert.id, alert.revision)
          if (type === 'alert.closed') closed.add(alert.id)
        }
      }),
      runs(60),
    )
  })

  it('gives evidence by event time that points at its events in the log', () => {
    fc.assert(
      fc.property(fc.oneof(streams(60), denseStreams(180)), (stream) => {
        const log = engineRecords(stream)
        for (const { alert } of runEngine(stream).flat()) {
          expect(alert.evidence.length).toBeGreaterThan(0)
          expect(alert.evidence.length).toBeLessThanOrEqual(Math.min(alert.count, 50))
          const order = alert.evidence.map(({ t, id }) => `${t} ${id}`)
          expect(order).toEqual([...order].sort())
          for (const { id, t, topic, partition, offset } of alert.evidence) {
            expect({ topic, partition }).toEqual({ topic: TOPIC, partition: PARTITION })
            const record = log[Number(offset)]
            expect(record?.kind === 'event' && record.event.id).toBe(id)
            expect(alert.firstSeen <= t && t <= alert.lastSeen).toBe(true)
          }
        }
      }),
      runs(60),
    )
  })
})

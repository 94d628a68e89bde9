import { startOwnServer, waitFor } from '@tocsin/testing'
import { expect, it } from 'vitest'
import { createEngines } from '../src/engines.ts'
import { rulePack } from './rule-pack.ts'
import {
  AT_EVERY_TURN,
  controlRecord,
  eventRecord,
  failedLogin,
  LIMIT_MS,
  publishedChanges,
  untilProcessed,
  withTopics,
} from './support.ts'

/** A broker of its own is started twice: some seconds each, on a busy machine many. */
const JVM_LIMIT_MS = 240_000

it('a detector outlives its broker, one that starts without it joins later: windows begun before are counted on, and nothing is told twice', {
  timeout: JVM_LIMIT_MS,
}, async () => {
  const broker = await startOwnServer('kafka')
  try {
    await withTopics(
      1,
      async ({ kafka, producer, detector: start }) => {
        await producer.send(rulePack().map((rule) => controlRecord({ kind: 'rule', rule })))
        await producer.send(Array.from({ length: 4 }, () => eventRecord(failedLogin('victim'))))
        const detector = start(createEngines().engines, AT_EVERY_TURN)
        await untilProcessed(kafka, [detector])
        await broker.stop()
        const late = start(createEngines().engines)
        expect(detector.recovered()).toBe(true)
        await broker.start()
        await late.joined
        await waitFor(() => producer.send([eventRecord(failedLogin('victim'))]), {
          limitMs: LIMIT_MS,
          what: 'the fifth failure to be written',
        })
        await waitFor(async () => (await publishedChanges(kafka)).length > 0, { limitMs: LIMIT_MS, what: 'the alert' })
        await untilProcessed(kafka, [detector, late])
        expect((await publishedChanges(kafka)).map(({ type, alert }) => [type, alert.count])).toEqual([['alert.created', 5]])
      },
      broker.address,
    )
  } finally {
    await broker.close()
  }
})

/** What is done to running detectors, round by round. Each leaves at least one that lives. */
import type { DetectorProcess } from '../../../services/detector/test/detector-process.ts'
import { type Field, says } from './field.ts'

export interface Scenario {
  readonly what: string
  /** How many rounds of a full run's 30 it plays: a round of sleep or of a broker's restart takes longer than a kill. */
  readonly share: number
  play(field: Field, rounds: number, say: (line: string) => void): Promise<void>
}

const RECOVERED = 'partition recovered'
/** Of its own group: each follower of a topic has one too. */
const ASSIGNED = '"groupId":"detector","partitions":'
const LONGEST_PAUSE_MS = 2_000
const pickOf = <T>(field: Field, of: readonly T[]): T => of[Math.floor(field.random() * of.length)] as T

/** A log line at which a kill falls into the middle of something, or none: at any time. */
const MOMENTS = [undefined, undefined, 'snapshot complete', ASSIGNED, RECOVERED]

async function killAndReplace(field: Field, detector: DetectorProcess): Promise<DetectorProcess> {
  const moment = pickOf(field, MOMENTS)
  const from = moment === 'snapshot complete' ? detector.lines.length : 0
  if (moment === undefined) await field.pause(LONGEST_PAUSE_MS)
  else await field.untilSays(detector, moment, from)
  await field.end(detector, 'SIGKILL')
  return field.start()
}

/** Longer than the session: another member takes over what it had; then it wakes up. */
async function sleepAndWake(field: Field, sleeper: DetectorProcess, whileAsleep: (other: DetectorProcess) => Promise<void>) {
  field.signal(sleeper, 'SIGSTOP')
  const others = field.live.filter((each) => each !== sleeper)
  const other = others[0] ?? field.start()
  const from = others.length === 0 ? 0 : other.lines.length
  await field.untilSays(other, RECOVERED, from)
  await whileAsleep(other)
  const slept = sleeper.lines.length
  field.signal(sleeper, 'SIGCONT')
  await field.untilSays(sleeper, ASSIGNED, slept)
}

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  kills: {
    what: 'kill -9 at random moments, also while it recovers or writes a snapshot',
    share: 1,
    play: async (field, rounds, say) => {
      let detector = field.start()
      // One beyond the log's beginning, so that there is something to come back to.
      const first = detector
      await field.until(
        () => first.lines.some((line) => line.includes('snapshot complete') && !line.includes('"offset":"0"')),
        'a snapshot',
      )
      for (let round = 1; round <= rounds; round++) {
        // Now and then the next kill comes before the state is back.
        if (field.random() < 0.7) await field.untilSays(detector, RECOVERED)
        detector = await killAndReplace(field, detector)
        say(`kill ${round} of ${rounds}`)
      }
      await field.untilSays(detector, RECOVERED)
    },
  },
  sleepers: {
    what: 'SIGSTOP for longer than the session, SIGCONT when another has taken over, which may be killed meanwhile',
    share: 0.2,
    play: async (field, rounds, say) => {
      await field.untilSays(field.start(), RECOVERED)
      for (let round = 1; round <= rounds; round++) {
        const sleeper = pickOf(field, field.live)
        await sleepAndWake(field, sleeper, async (other) => {
          await field.pause(LONGEST_PAUSE_MS)
          if (field.random() < 0.3) await field.untilSays(await killAndReplace(field, other), RECOVERED)
        })
        await field.pause(LONGEST_PAUSE_MS)
        while (field.live.length > 2) await field.end(pickOf(field, field.live), 'SIGTERM')
        say(`sleeper ${round} of ${rounds}`)
      }
    },
  },
  scale: {
    what: 'one detector, three, one again; those that go are stopped or killed',
    share: 0.2,
    play: async (field, rounds, say) => {
      await field.untilSays(field.start(), RECOVERED)
      for (let round = 1; round <= rounds; round++) {
        while (field.live.length < 3) {
          await field.untilSays(field.start(), RECOVERED)
          await field.pause(LONGEST_PAUSE_MS)
        }
        while (field.live.length > 1) {
          const leaving = pickOf(field, field.live)
          const staying = field.live.filter((each) => each !== leaving).map((each) => ({ each, from: each.lines.length }))
          await field.end(leaving, field.random() < 0.7 ? 'SIGTERM' : 'SIGKILL')
          // What the one had goes to one of the others, not to each.
          await field.until(() => staying.some(({ each, from }) => says(each, RECOVERED, from)), 'one of the others to take over')
          await field.pause(LONGEST_PAUSE_MS)
        }
        say(`1 → 3 → 1, ${round} of ${rounds}`)
      }
    },
  },
  broker: {
    what: 'the broker killed with -9 or restarted under two detectors',
    share: 0.2,
    play: async (field, rounds, say) => {
      await field.untilSays(field.start(), RECOVERED)
      await field.untilSays(field.start(), RECOVERED)
      for (let round = 1; round <= rounds; round++) {
        const before = field.live.map((each) => ({ each, from: each.lines.length }))
        if (round % 2 === 1) await field.killBroker()
        else await field.restartBroker(field.random() * 10_000)
        for (const { each, from } of before) await field.untilSays(each, 'snapshot complete', from)
        await field.pause(LONGEST_PAUSE_MS)
        say(`broker ${round} of ${rounds}`)
      }
    },
  },
  all: {
    what: 'kills, sleep, coming, going and the broker, in any order and one into the other',
    share: 0.4,
    play: async (field, rounds, say) => {
      await field.untilSays(field.start(), RECOVERED)
      const asleep = new Set<DetectorProcess>()
      const awake = () => field.live.filter((each) => !asleep.has(each))
      const acts: readonly (readonly [name: string, weight: number, act: () => Promise<unknown>])[] = [
        ['kill', 4, async () => field.end(pickOf(field, field.live), 'SIGKILL')],
        ['stop', 2, async () => awake().length > 0 && field.end(pickOf(field, awake()), 'SIGTERM')],
        ['start', 4, async () => field.live.length < 3 && field.start()],
        ['sleep', 2, async () => awake().length > 1 && sleep(pickOf(field, awake()))],
        ['wake', 3, async () => wake([...asleep][0])],
        ['broker', 1, () => field.killBroker()],
      ]
      const sleep = (detector: DetectorProcess) => {
        field.signal(detector, 'SIGSTOP')
        asleep.add(detector)
      }
      const wake = (detector: DetectorProcess | undefined) => {
        if (detector === undefined) return
        asleep.delete(detector)
        if (field.live.includes(detector)) field.signal(detector, 'SIGCONT')
      }
      const bag = acts.flatMap((act) => Array.from({ length: act[1] }, () => act))
      for (let round = 1; round <= rounds; round++) {
        const [name, , act] = pickOf(field, bag)
        await act()
        for (const each of asleep) if (!field.live.includes(each)) asleep.delete(each)
        if (awake().length === 0) field.start()
        await field.pause(4 * LONGEST_PAUSE_MS)
        say(`${name}, ${round} of ${rounds}: ${awake().length} awake, ${asleep.size} asleep`)
      }
      for (const each of [...asleep]) wake(each)
    },
  },
}

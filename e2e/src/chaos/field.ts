/** Where a scenario plays: topics of its own under load, detector processes that may be killed, and the broker itself. */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { ALL_TOPICS } from '@tocsin/contracts'
import { createKafka, createProducer, ensureTopics, type Kafka, type Producer } from '@tocsin/kafka'
import type { RunningInfrastructure } from '@tocsin/local'
import { pino } from 'pino'
import { type WaitLimits, waitFor } from '../../../libs/testing/src/waiting.ts'
import { type DetectorProcess, startDetectorProcess } from '../../../services/detector/test/detector-process.ts'
import { seededRandom } from '../random-streams.ts'

export const PARTITIONS = 4
/** Often, so that kills fall before, into and after snapshots. */
const OFTEN = { SNAPSHOT_MIN_INTERVAL_MS: '100', SNAPSHOT_MIN_RECORDS: '40' }
/** A session timeout, and some more on a busy machine. */
const TAKE_OVER_LIMIT_MS = 60_000
/** What a stop may take (services/detector/README.md). */
const STOP_LIMIT_MS = 20_000

export const says = ({ lines }: DetectorProcess, text: string, from = 0): boolean =>
  lines.slice(from).some((line) => line.includes(text))

export class Field {
  readonly kafka: Kafka
  readonly producer: Producer
  readonly random: () => number
  /** Ever started, by name. */
  readonly all = new Map<string, DetectorProcess>()
  readonly #infrastructure: RunningInfrastructure
  readonly prefix = `chaos-${randomBytes(4).toString('hex')}-`
  readonly brokers: string
  #live: DetectorProcess[] = []

  constructor(infrastructure: RunningInfrastructure, seed: number) {
    this.#infrastructure = infrastructure
    this.brokers = infrastructure.kafkaBrokers
    this.random = seededRandom(seed)
    this.kafka = createKafka({
      brokers: this.brokers,
      clientId: 'chaos',
      prefix: this.prefix,
      log: pino({ level: 'silent' }),
    })
    this.producer = createProducer(this.kafka)
  }

  async prepare(): Promise<void> {
    await ensureTopics(this.kafka, ALL_TOPICS, { partitions: PARTITIONS, replication: 1 })
  }

  /** Not ended; a sleeping one is among them. */
  get live(): readonly DetectorProcess[] {
    return this.#live
  }

  start(): DetectorProcess {
    const detector = startDetectorProcess(this.brokers, this.prefix, OFTEN)
    this.#live.push(detector)
    this.all.set(`detector-${this.all.size + 1}`, detector)
    return detector
  }

  /** Resolves when the process is gone; throws where SIGTERM does not end it in order. */
  async end(detector: DetectorProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#live = this.#live.filter((each) => each !== detector)
    const begun = performance.now()
    // Before its first word it holds nothing, and SIGTERM ends it as any program that does not listen for it yet.
    const hadBegun = detector.lines.length > 0
    const how = await detector.kill(signal)
    const tookMs = performance.now() - begun
    const inOrder = how === 0 || (how === 'SIGTERM' && !hadBegun)
    if (signal === 'SIGTERM' && (!inOrder || tookMs > STOP_LIMIT_MS))
      throw new Error(`a detector told to stop ended with ${how} after ${Math.round(tookMs)} ms`)
  }

  signal(detector: DetectorProcess, name: 'SIGSTOP' | 'SIGCONT'): void {
    process.kill(detector.pid, name)
  }

  /** Between 50 ms and `mostMs`. */
  async pause(mostMs: number): Promise<void> {
    await delay(50 + this.random() * (mostMs - 50))
  }

  /** kill -9: its supervisor starts it again on the same data. */
  async killBroker(): Promise<void> {
    const kafka = this.#broker()
    const before = kafka.pid
    kafka.kill('SIGKILL')
    await this.until(() => kafka.pid !== undefined && kafka.pid !== before, 'another broker process')
    await kafka.ready()
  }

  async restartBroker(awayMs: number): Promise<void> {
    await this.#broker().stop()
    await delay(awayMs)
    await this.#broker().start()
  }

  until(condition: () => boolean | Promise<boolean>, what: string, limitMs = TAKE_OVER_LIMIT_MS): Promise<true> {
    const limits: WaitLimits = { limitMs, what }
    return waitFor(condition, limits)
  }

  /** Until the detector says it from line `from` of its log on. */
  untilSays(detector: DetectorProcess, text: string, from = 0): Promise<true> {
    return this.until(() => says(detector, text, from), `a detector to say "${text}"`)
  }

  /** Ends all, in order or, after a fault, at once. */
  async endAll(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    // Each leaves before the next does: all at once would show nothing of a hand-over.
    for (const detector of [...this.#live]) await this.end(detector, signal)
  }

  async close(): Promise<void> {
    await this.endAll('SIGKILL')
    await this.producer.close()
    await this.kafka.close()
  }

  #broker() {
    const kafka = this.#infrastructure.processes.get('kafka')
    if (kafka === undefined) throw new Error('the broker was not started here: unset KAFKA_BROKERS')
    return kafka
  }
}

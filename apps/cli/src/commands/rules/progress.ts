import type { BadLine } from '@tocsin/backtest'
import { type Output, plain } from '../../output.ts'

/** Results are handed on in pieces: one at a time would cost more than finding them. */
const PIECE_CHARACTERS = 65_536
const PROGRESS_MS = 2_000
const MAX_TOLD = 10
const DAY_MS = 86_400_000

/** Results, progress and the figures at the end of a long run over a file. */
export class Progress {
  events = 0
  lines = 0
  bytes = 0
  readonly #output: Output
  readonly #started = performance.now()
  readonly #cpu = process.cpuUsage()
  #progressAt = this.#started + PROGRESS_MS
  #bad = 0
  #from = Number.POSITIVE_INFINITY
  #to = Number.NEGATIVE_INFINITY
  #piece: string[] = []
  #characters = 0

  constructor(output: Output) {
    this.#output = output
  }

  result(line: string): void {
    this.#piece.push(line)
    this.#characters += line.length
    if (this.#characters > PIECE_CHARACTERS) this.#flush()
  }

  bad({ line, reason }: BadLine): void {
    if (this.#bad++ < MAX_TOLD) this.#output.note(plain(`line ${line} is passed over: ${reason}`))
  }

  /** The time of an event, ms since 1970. */
  seen(stamp: number): void {
    if (stamp < this.#from) this.#from = stamp
    if (stamp > this.#to) this.#to = stamp
  }

  /** Days from the earliest event seen to the latest. */
  days(): number {
    return Math.max(0, this.#to - this.#from) / DAY_MS
  }

  /** Called now and then with the bytes read so far. */
  read(bytes: number): void {
    this.bytes = bytes
    const now = performance.now()
    if (now < this.#progressAt) return
    this.#progressAt = now + PROGRESS_MS
    this.#output.note(`${this.events} events, ${megabytes(bytes)} MB, ${this.#rate()} events/s`)
  }

  end(): void {
    this.#flush()
    const seconds = (performance.now() - this.#started) / 1000
    const { user, system } = process.cpuUsage(this.#cpu)
    const cost = this.events === 0 ? '' : `, ${((user + system) / this.events).toFixed(1)} µs of processor an event`
    const { maxRSS } = process.resourceUsage()
    if (this.#bad > MAX_TOLD) this.#output.note(`… and ${this.#bad - MAX_TOLD} more`)
    this.#output.note(`${this.events} events in ${this.lines} lines, ${this.#bad} passed over, ${megabytes(this.bytes)} MB`)
    this.#output.note(
      `${seconds.toFixed(2)} s, ${this.#rate()} events/s${cost}, at most ${Math.round(maxRSS / 1024)} MiB of memory`,
    )
  }

  #rate(): number {
    return Math.round((this.events / Math.max(performance.now() - this.#started, 1)) * 1000)
  }

  #flush(): void {
    if (this.#piece.length > 0) this.#output.result(this.#piece.join('\n'))
    this.#piece = []
    this.#characters = 0
  }
}

const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1)

/** The largest first. */
export function noteCounts(output: Output, counts: ReadonlyMap<string, number | readonly unknown[]>): void {
  const all = [...counts].map(([name, count]) => [name, typeof count === 'number' ? count : count.length] as const)
  for (const [name, count] of all.sort(([, a], [, b]) => b - a)) output.note(plain(`  ${count}  ${name}`))
}

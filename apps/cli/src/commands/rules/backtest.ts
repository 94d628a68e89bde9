/** `tocsin rules backtest`: rules over events of the past. */
import type { RuleSet } from '@tocsin/engine'
import { type Output, plain } from '../../output.ts'
import { readLines } from '../../rules/lines.ts'
import { eventIdOf, RawMatcher } from '../../rules/raw-matches.ts'
import { faultLines, readRules } from '../../rules/rule-files.ts'

export interface BacktestOptions {
  readonly rules: readonly string[]
  readonly events: string
  readonly output: Output
}

/** Results are handed on in pieces: a line at a time would cost more than the matching. */
const PIECE_CHARACTERS = 65_536
const PROGRESS_MS = 2_000
const MAX_TOLD = 10

/** Returns the exit code 0: faults of rules and of events are told, the rest goes on. */
export function backtest({ rules, events, output }: BacktestOptions): number {
  const set = readRules(rules)
  for (const line of faultLines(set.faults)) output.note(plain(`refused: ${line}`))
  rawMatches(set, events, output)
  return 0
}

function rawMatches(set: RuleSet, file: string, output: Output): void {
  const matcher = new RawMatcher(set)
  const matched = new Map<string, number>()
  const started = performance.now()
  let [count, unreadable, size, progressAt] = [0, 0, 0, started + PROGRESS_MS]
  let piece: string[] = []
  let characters = 0
  const flush = () => {
    if (piece.length > 0) output.result(piece.join('\n'))
    piece = []
    characters = 0
  }
  const take = (text: string | undefined, line: number) => {
    if (text !== undefined && text.trim() === '') return
    const event = text === undefined ? undefined : parsed(text)
    if (event === undefined) {
      if (unreadable++ < MAX_TOLD) output.note(`line ${line} is no JSON object and is passed over`)
      return
    }
    count++
    const ruleIds = matcher.matches(event)
    if (ruleIds.length === 0) return
    const eventId = eventIdOf(event)
    for (const ruleId of ruleIds) {
      matched.set(ruleId, (matched.get(ruleId) ?? 0) + 1)
      const match = JSON.stringify({ ruleId, eventId, line })
      characters += match.length
      piece.push(match)
    }
    if (characters > PIECE_CHARACTERS) flush()
  }
  const lines = readLines(file, take, (bytes) => {
    size = bytes
    const now = performance.now()
    if (now < progressAt) return
    progressAt = now + PROGRESS_MS
    output.note(`${count} events, ${megabytes(bytes)} MB, ${rate(count, now - started)} events/s`)
  })
  flush()
  const took = performance.now() - started
  const total = [...matched.values()].reduce((sum, each) => sum + each, 0)
  output.note(`${count} events in ${lines} lines (${unreadable} unreadable), ${megabytes(size)} MB`)
  output.note(`${(took / 1000).toFixed(2)} s, ${rate(count, took)} events/s, ${set.detections.length} detections`)
  output.note(`${total} matches`)
  for (const [ruleId, each] of [...matched].sort(([, a], [, b]) => b - a)) output.note(plain(`  ${each}  ${ruleId}`))
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

const megabytes = (bytes: number): string => (bytes / 1_000_000).toFixed(1)
const rate = (count: number, ms: number): number => Math.round((count / Math.max(ms, 1)) * 1000)

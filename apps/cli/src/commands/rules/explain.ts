/** `tocsin rules explain`: each node of a rule held against events, passed or failed and why; and how far its windows came. */

import { readFileSync } from 'node:fs'
import {
  type ExplainedEvent,
  type ExplainedRule,
  explainRule,
  type FileEvent,
  MappedReader,
  RAW_FORMAT,
  RawReader,
  type SettingsOf,
} from '@tocsin/backtest'
import { messageOf, TerminalError } from '@tocsin/errors'
import { elementsOf } from '../../chunks.ts'
import { type Output, plain } from '../../output.ts'
import { faultLines, readRules } from '../../rules/rule-files.ts'
import { readSettings } from '../../rules/settings-file.ts'

export interface ExplainOptions {
  readonly rule: string
  /** A path, or `-` for standard input: one event, a list of them, or one on each line. */
  readonly event: string
  readonly format?: string | undefined
  readonly settings?: string | undefined
  readonly now: number
  readonly output: Output
}

const STANDARD_INPUT = 0

/** Returns the exit code: 1 where the rule cannot run or there is no event. */
export function explain(options: ExplainOptions): number {
  const { output } = options
  const { rules, faults } = readRules([options.rule], { anySource: options.format === RAW_FORMAT })
  for (const line of faultLines(faults)) output.result(plain(`refused: ${line}`))
  const events = readEvents(options)
  const settingsOf: SettingsOf = options.settings === undefined ? () => ({}) : readSettings(options.settings)
  for (const rule of rules) {
    output.result(plain(`rule ${rule.record.ruleId}: ${rule.title}`))
    const explained = explainRule(rule, events, settingsOf)
    for (const event of explained.events) {
      output.result(plain(`event ${event.id} (${event.line})`))
      for (const told of eventLines(event)) output.result(plain(`  ${told}`))
    }
    for (const told of windowLines(explained)) output.result(plain(told))
  }
  return faults.length === 0 && rules.length > 0 && events.length > 0 ? 0 : 1
}

function* eventLines({ detections, groupBy }: ExplainedEvent): Generator<string> {
  for (const { title, holds, source, nodes } of detections) {
    yield `${mark(holds)} ${title}`
    yield `  ${mark(source.holds)} logsource: ${source.text}   ${source.why}`
    for (const { depth, holds: passed, text, why } of nodes)
      yield `  ${'  '.repeat(depth)}${mark(passed)} ${text}${why === '' ? '' : `   ${why}`}`
  }
  yield `group by ${groupBy}`
}

const mark = (holds: boolean): string => (holds ? '+' : '-')

/** What all the events come to together. */
function* windowLines({ events, windows, uncounted }: ExplainedRule): Generator<string> {
  if (events.length === 0) return
  for (const { raised, severity, title, count, value, threshold, spanMs, peak, group } of windows) {
    const within = `within ${spanMs / 1000} s`
    const figures = `window ${value} of ${threshold} ${within} at its first true moment, ${peak} at most`
    const name = JSON.stringify(group)
    if (raised) yield `alert: ${severity} ${title}, ${count} events; ${figures}; group ${name}`
    else yield `no alert: window ${peak} of ${threshold} ${within}; group ${name}`
  }
  if (windows.length === 0) yield 'no alert: no event counts.'
  const others = Object.entries(uncounted).map(([name, count]) => `${name} ${count}`)
  yield `of ${events.length} events: ${others.length === 0 ? 'none counted' : others.join(', ')}`
}

function readEvents({ event: file, format, now, output }: ExplainOptions): FileEvent[] {
  const events: FileEvent[] = []
  const sink = {
    event: (event: FileEvent) => void events.push(event),
    bad: ({ line, reason }: { line: number; reason: string }) => output.note(plain(`event ${line} is passed over: ${reason}`)),
  }
  const reader =
    format === RAW_FORMAT ? new RawReader(sink) : new MappedReader({ format, year: undefined, zone: undefined, now }, sink)
  for (const [index, text] of linesOf(textOf(file)).entries()) if (text.trim() !== '') reader.take(text, index + 1)
  reader.end()
  return events
}

function textOf(file: string): string {
  try {
    return readFileSync(file === '-' ? STANDARD_INPUT : file, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    throw new TerminalError(`${file} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

/** A JSON document is its elements, or one event; anything else has one on each line. */
function linesOf(text: string): string[] {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return text.split('\n')
  }
  return elementsOf(document) ?? [JSON.stringify(document)]
}

/** `tocsin rules explain`: each node of a rule held against events, passed or failed and why; and how far its windows came. */

import { readFileSync } from 'node:fs'
import {
  BacktestRun,
  type FileEvent,
  MappedReader,
  RAW_FORMAT,
  RawReader,
  type SettingsOf,
  Tally,
  withThreshold,
} from '@tocsin/backtest'
import { type CompiledRule, type EventView, logsourceTest } from '@tocsin/engine'
import { messageOf, TerminalError } from '@tocsin/errors'
import { type Explanation, type LogSource, shown } from '@tocsin/sigma'
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
    for (const { event, line } of events) {
      output.result(plain(`event ${event.id} (${line})`))
      for (const told of eventLines(rule, event)) output.result(plain(`  ${told}`))
    }
    for (const told of windowLines(rule, events, settingsOf)) output.result(plain(told))
  }
  return faults.length === 0 && rules.length > 0 && events.length > 0 ? 0 : 1
}

function* eventLines(rule: CompiledRule, event: EventView): Generator<string> {
  for (const { title, logsource, explain: explainOf } of rule.detections) {
    const isOfSource = logsourceTest(logsource)(event)
    const explanation = explainOf(event.fields)
    yield `${mark(isOfSource && explanation.holds)} ${title}`
    const source = `source is ${shown(event.text('format'))}, category ${shown(event.fields('category'))}`
    yield `  ${mark(isOfSource)} logsource: ${nameOf(logsource)}   ${source}`
    yield* nodeLines(explanation, '  ')
  }
  const { fields } = rule.groupBy
  yield `group by ${fields.map((field) => `${field} (${shown(event.fields(field))})`).join(rule.groupBy.mode === 'first' ? ', else ' : ', ')}`
}

function* nodeLines({ text, holds, why, parts }: Explanation, indent: string): Generator<string> {
  yield `${indent}${mark(holds)} ${text}${why === '' ? '' : `   ${why}`}`
  for (const part of parts) yield* nodeLines(part, `${indent}  `)
}

const mark = (holds: boolean): string => (holds ? '+' : '-')
const nameOf = ({ product, category, service }: LogSource): string => [product, category, service].filter(Boolean).join('/')

/** What all the events come to together: the alerts, and of groups without one the largest window, found with the threshold at 1. */
function* windowLines(rule: CompiledRule, events: readonly FileEvent[], settingsOf: SettingsOf): Generator<string> {
  if (events.length === 0) return
  const found = alertsOf(rule, events, settingsOf)
  for (const { severity, title, group, window, peak, count } of found.alerts) {
    const figures = `window ${window.value} of ${window.threshold} within ${window.spanMs / 1000} s at its first true moment, ${peak} at most`
    yield `alert: ${severity} ${title}, ${count} events; ${figures}; group ${JSON.stringify(group)}`
  }
  const raised = new Set(found.alerts.map(({ group }) => JSON.stringify(group)))
  let threshold = rule.atLeast
  const least = alertsOf(rule, events, (id) =>
    withThreshold(settingsOf(id), rule, (own) => {
      threshold = own
      return 1
    }),
  )
  for (const { group, peak, window } of least.alerts) {
    const name = JSON.stringify(group)
    if (raised.has(name)) continue
    yield `no alert: window ${peak} of ${threshold} within ${window.spanMs / 1000} s; group ${name}`
  }
  if (found.alerts.length + least.alerts.length === 0) yield 'no alert: no event counts.'
  const others = Object.entries(found.counters).filter(([name, count]) => count > 0 && name !== 'events')
  yield `of ${events.length} events: ${others.length === 0 ? 'none counted' : others.map(([name, count]) => `${name} ${count}`).join(', ')}`
}

function alertsOf(rule: CompiledRule, events: readonly FileEvent[], settingsOf: SettingsOf) {
  const run = new BacktestRun({ rules: [rule], settingsOf, topic: 'explain' })
  const tally = new Tally()
  for (const event of events) tally.add(run.take(event))
  for (const changes of run.end()) tally.add(changes)
  return { alerts: tally.alerts(), counters: run.counters() }
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

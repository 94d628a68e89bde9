/** `tocsin rules backtest`: rules over events of the past. Results on standard output, figures on standard error. */
import { basename } from 'node:path'
import type { AlertFigures, OrganizationSettings } from '@tocsin/contracts'
import type { RuleSet } from '@tocsin/engine'
import { type Output, plain } from '../../output.ts'
import { BacktestRun, type SettingsOf, withThresholds } from '../../rules/backtest-run.ts'
import type { EventSink } from '../../rules/file-event.ts'
import { readLines } from '../../rules/lines.ts'
import { MappedReader } from '../../rules/mapped-event.ts'
import { Matcher } from '../../rules/matcher.ts'
import { eventIdOf, jsonObject, RAW_FORMAT, RawReader } from '../../rules/raw-event.ts'
import { faultLines, readRules } from '../../rules/rule-files.ts'
import { readSettings } from '../../rules/settings-file.ts'
import { Tally } from '../../rules/tally.ts'
import { Progress } from './progress.ts'

export interface BacktestOptions {
  readonly rules: readonly string[]
  readonly events: string
  /** RAW_FORMAT, or a format of ingest; recognized where undefined. */
  readonly format?: string | undefined
  readonly year?: number | undefined
  readonly zone?: string | undefined
  /** What is printed: the last state of each alert, each change, or each match of a detection. */
  readonly print?: 'alerts' | 'changes' | 'matches' | undefined
  readonly settings?: string | undefined
  readonly now: number
  readonly output: Output
}

const OTHER_THRESHOLDS = [0.5, 2, 4] as const
const SAMPLE = 5

/** Returns the exit code 0: faults of rules and of events are told, the rest goes on. */
export function backtest(options: BacktestOptions): number {
  const { output } = options
  const set = readRules(options.rules, { anySource: options.format === RAW_FORMAT })
  for (const line of faultLines(set.faults)) output.note(plain(`refused: ${line}`))
  if (options.print === 'matches') backtestMatches(set, options)
  else backtestAlerts(set, options)
  return 0
}

function backtestMatches(set: RuleSet, options: BacktestOptions): void {
  const matcher = new Matcher(set)
  const matched = new Map<string, number>()
  const progress = new Progress(options.output)
  const tell = (ruleIds: readonly string[], eventId: string | null, line: number) => {
    for (const ruleId of ruleIds) {
      matched.set(ruleId, (matched.get(ruleId) ?? 0) + 1)
      progress.result(JSON.stringify({ ruleId, eventId, line }))
    }
  }
  if (options.format === RAW_FORMAT) {
    const take = (text: string, line: number) => {
      const item = jsonObject(text)
      if (item === undefined) {
        progress.bad({ line, reason: 'it is no JSON object' })
        return
      }
      progress.events++
      const ruleIds = matcher.raw(item)
      if (ruleIds.length > 0) tell(ruleIds, eventIdOf(item), line)
    }
    readThrough(options, progress, { take, end: () => {} })
  } else {
    const event: EventSink['event'] = ({ event: view, line }) => {
      progress.events++
      tell(matcher.event(view), view.id, line)
    }
    readThrough(options, progress, readerOf(options, { event, bad: (line) => progress.bad(line) }))
  }
  progress.end()
  options.output.note(`${sum(matched)} matches of ${set.detections.length} detections`)
  noteCounts(options.output, matched)
}

function backtestAlerts(set: RuleSet, options: BacktestOptions): void {
  const { output, print } = options
  const rules = set.rules.filter(({ alerts }) => alerts)
  const settingsOf: SettingsOf = options.settings === undefined ? () => ({}) : readSettings(options.settings)
  const topic = basename(options.events)
  const progress = new Progress(output)
  const main = { run: new BacktestRun({ rules, settingsOf, topic }), tally: new Tally() }
  const others = OTHER_THRESHOLDS.map((times) => ({
    times,
    run: new BacktestRun({ rules, topic, settingsOf: remembered((id) => withThresholds(settingsOf(id), rules, times)) }),
    tally: new Tally(),
  }))
  const event: EventSink['event'] = (each) => {
    progress.events++
    progress.seen(each.event.stamp)
    const changes = main.run.take(each)
    if (print === 'changes') for (const change of changes) progress.result(JSON.stringify(change))
    main.tally.add(changes)
    for (const { run, tally } of others) tally.add(run.take(each))
  }
  readThrough(options, progress, readerOf(options, { event, bad: (line) => progress.bad(line) }))
  for (const changes of main.run.end()) {
    if (print === 'changes') for (const change of changes) progress.result(JSON.stringify(change))
    main.tally.add(changes)
  }
  for (const { run, tally } of others) for (const changes of run.end()) tally.add(changes)
  const alerts = main.tally.alerts()
  if (print === 'alerts') for (const alert of alerts) progress.result(JSON.stringify(alert))
  progress.end()

  const days = Math.max(progress.days(), 1 / 24)
  output.note(`${alerts.length} alerts of ${rules.length} rules, ${(alerts.length / days).toFixed(1)} a day of events`)
  noteCounts(
    output,
    Map.groupBy(alerts, ({ rule }) => rule.id),
  )
  for (const alert of print === undefined ? alerts.slice(0, SAMPLE) : [])
    output.note(plain(`  for instance: ${described(alert)}`))
  const counts = [...others.map(({ times, tally }) => [times, tally.alerts().length] as const), [1, alerts.length] as const]
  const told = counts.sort(([a], [b]) => a - b).map(([times, count]) => `${count} at ${times} ×`)
  output.note(`alerts by threshold: ${told.join(', ')}`)
  const uncounted = Object.entries(main.run.counters()).filter(
    ([name, count]) => count > 0 && name !== 'events' && name !== 'counted',
  )
  if (uncounted.length > 0) output.note(`counters: ${uncounted.map(([name, count]) => `${name} ${count}`).join(', ')}`)
}

function readerOf({ format, year, zone, now }: BacktestOptions, sink: EventSink) {
  return format === RAW_FORMAT ? new RawReader(sink) : new MappedReader({ format, year, zone, now }, sink)
}

function readThrough(
  { events }: BacktestOptions,
  progress: Progress,
  reader: { take(text: string, line: number): void; end(): void },
): void {
  const each = (text: string | undefined, line: number) => {
    if (text === undefined) progress.bad({ line, reason: 'it is too long' })
    else if (text.trim() !== '') reader.take(text, line)
  }
  progress.lines = readLines(events, each, (bytes) => progress.read(bytes))
  reader.end()
}

const described = ({ severity, title, count, firstSeen, lastSeen }: AlertFigures): string =>
  `${severity} ${title}: ${count} events from ${firstSeen} to ${lastSeen}`

function noteCounts(output: Output, counts: ReadonlyMap<string, number | readonly unknown[]>): void {
  const all = [...counts].map(([name, count]) => [name, typeof count === 'number' ? count : count.length] as const)
  for (const [name, count] of all.sort(([, a], [, b]) => b - a)) output.note(plain(`  ${count}  ${name}`))
}

const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((total, each) => total + each, 0)

function remembered(of: SettingsOf): SettingsOf {
  const known = new Map<string, OrganizationSettings>()
  return (id) => {
    const settings = known.get(id) ?? of(id)
    known.set(id, settings)
    return settings
  }
}

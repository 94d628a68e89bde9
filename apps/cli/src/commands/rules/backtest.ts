/** `tocsin rules backtest`: rules over events of the past. Results on standard output, figures on standard error. */
import { basename } from 'node:path'
import { type AlertFigures, type OrganizationSettings, TOPICS } from '@tocsin/contracts'
import type { CompiledRule, EngineRecord, RuleSet } from '@tocsin/engine'
import { TerminalError } from '@tocsin/errors'
import { plain } from '../../output.ts'
import { BacktestRun, type SettingsOf, withThresholds } from '../../rules/backtest-run.ts'
import type { EventSink } from '../../rules/file-event.ts'
import { RAW_FORMAT } from '../../rules/raw-event.ts'
import { faultLines, readRules } from '../../rules/rule-files.ts'
import { readSettings } from '../../rules/settings-file.ts'
import { Tally } from '../../rules/tally.ts'
import { engineRecordOf, leadMs, readRange, readTenants, type TopicRange } from '../../rules/topic-range.ts'
import { backtestMatches } from './backtest-matches.ts'
import { type FileOptions, readerOf, readThrough } from './events-file.ts'
import { noteCounts, Progress } from './progress.ts'

export interface BacktestOptions extends FileOptions {
  /** Undefined, of a range only: the rules that were in force there. */
  readonly rules?: readonly string[] | undefined
  /** A file, or a range of `audit.events`. */
  readonly events: string | TopicRange
  /** What is printed: the last state of each alert, each change, or each match of a detection. */
  readonly print?: 'alerts' | 'changes' | 'matches' | undefined
  readonly settings?: string | undefined
}

const OTHER_THRESHOLDS = [0.5, 2, 4] as const
const SAMPLE = 5
const NO_RULES: RuleSet = { detections: [], rules: [], faults: [] }

/** Returns the exit code 0: faults of rules and of events are told, the rest goes on. */
export async function backtest(options: BacktestOptions): Promise<number> {
  const { output, events, rules } = options
  if (rules === undefined && typeof events === 'string') throw new TerminalError('Which rules? Name them with --rules.')
  const set = rules === undefined ? NO_RULES : readRules(rules, { anySource: options.format === RAW_FORMAT })
  for (const line of faultLines(set.faults)) output.note(plain(`refused: ${line}`))
  if (options.print !== 'matches') await backtestAlerts(set, options)
  else if (typeof events === 'string') backtestMatches(set, events, options)
  else throw new TerminalError('--matches is of a file.')
  return 0
}

async function backtestAlerts(set: RuleSet, options: BacktestOptions): Promise<void> {
  const { output, print, events } = options
  const isFile = typeof events === 'string'
  const rules = set.rules.filter(({ alerts }) => alerts)
  const given = options.settings === undefined ? undefined : readSettings(options.settings)
  const settingsOf = given ?? (isFile || options.rules === undefined ? () => ({}) : await presentSettings(events))
  const place = isFile ? { topic: basename(events) } : { topic: TOPICS.auditEvents.name, partition: events.partition }
  const progress = new Progress(output)
  const main = { run: new BacktestRun({ rules, settingsOf, ...place }), tally: new Tally() }
  // The rules in force in a range may change within it.
  const others = (options.rules === undefined ? [] : OTHER_THRESHOLDS).map((times) => ({
    times,
    run: new BacktestRun({ rules, ...place, settingsOf: remembered((id) => withThresholds(settingsOf(id), rules, times)) }),
    tally: new Tally(),
  }))
  const take = (record: EngineRecord, isTold: boolean) => {
    if (record.kind === 'event' && isTold) {
      progress.events++
      progress.seen(record.event.stamp)
    }
    const changes = main.run.process(record)
    if (print === 'changes' && isTold) for (const change of changes) progress.result(JSON.stringify(change))
    main.tally.add(changes, isTold)
    for (const other of others) other.tally.add(other.run.process(record), isTold)
  }
  if (isFile) {
    const event: EventSink['event'] = ({ event: view, appendTime, line }) =>
      take({ kind: 'event', appendTime, offset: BigInt(line), event: view }, true)
    readThrough(events, progress, readerOf(options, { event, bad: (line) => progress.bad(line) }))
  } else await readTopic(events, rules, options, { take, progress, tally: main.tally })
  // What a range's changes were is known; how its alerts would have ended is not in it.
  if (isFile || print !== 'changes') {
    for (const changes of main.run.end()) {
      if (print === 'changes') for (const change of changes) progress.result(JSON.stringify(change))
      main.tally.add(changes)
    }
    for (const { run, tally } of others) for (const changes of run.end()) tally.add(changes)
  }
  const alerts = main.tally.alerts()
  if (print === 'alerts') for (const alert of alerts) progress.result(JSON.stringify(alert))
  progress.end()

  const own = options.rules === undefined
  const days = Math.max(progress.days(), 1 / 24)
  output.note(
    `${alerts.length} alerts of ${own ? 'the rules in force' : `${rules.length} rules`}, ${(alerts.length / days).toFixed(1)} a day of events`,
  )
  noteCounts(
    output,
    Map.groupBy(alerts, ({ rule }) => rule.id),
  )
  for (const alert of print === undefined ? alerts.slice(0, SAMPLE) : [])
    output.note(plain(`  for instance: ${described(alert)}`))
  const counts = [...others.map(({ times, tally }) => [times, tally.alerts().length] as const), [1, alerts.length] as const]
  const told = counts.sort(([a], [b]) => a - b).map(([times, count]) => `${count} at ${times} ×`)
  if (!own) output.note(`alerts by threshold: ${told.join(', ')}`)
  const uncounted = Object.entries(main.run.counters()).filter(
    ([name, count]) => count > 0 && name !== 'events' && name !== 'counted',
  )
  if (uncounted.length > 0) output.note(`counters: ${uncounted.map(([name, count]) => `${name} ${count}`).join(', ')}`)
}

/** Before the range nothing is told but which alerts are open at its start. */
async function readTopic(
  range: TopicRange,
  rules: readonly CompiledRule[],
  { output, ...options }: BacktestOptions,
  to: { take(record: EngineRecord, isTold: boolean): void; readonly progress: Progress; readonly tally: Tally },
): Promise<void> {
  const own = options.rules === undefined
  let isTold = false
  const first = await readRange(range, own ? undefined : leadMs(rules), (kafkaRecord) => {
    if (!isTold && kafkaRecord.offset >= range.from) {
      isTold = true
      for (const alert of to.tally.alerts().filter(({ open }) => open))
        output.note(plain(`open at the start: ${alert.id} revision ${alert.revision}, ${described(alert)}`))
    }
    const record = engineRecordOf(kafkaRecord)
    to.progress.lines++
    to.progress.read(to.progress.bytes + (kafkaRecord.value?.length ?? 0))
    if (record === undefined || (record.kind === 'control' && !own)) return
    to.take(record, isTold)
  })
  output.note(`read from offset ${first}, told from ${range.from}`)
}

/** The rules are tried under the settings that organizations have now. */
async function presentSettings({ kafka }: TopicRange): Promise<SettingsOf> {
  const tenants = await readTenants(kafka)
  return (organizationId) => tenants.get(organizationId)?.settings ?? {}
}

const described = ({ severity, title, count, firstSeen, lastSeen }: AlertFigures): string =>
  `${severity} ${title}: ${count} events from ${firstSeen} to ${lastSeen}`

function remembered(of: SettingsOf): SettingsOf {
  const known = new Map<string, OrganizationSettings>()
  return (id) => {
    const settings = known.get(id) ?? of(id)
    known.set(id, settings)
    return settings
  }
}

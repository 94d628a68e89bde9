import { basename } from 'node:path'
import { type EventSink, ThresholdRuns } from '@tocsin/backtest'
import { type AlertFigures, TOPICS } from '@tocsin/contracts'
import type { CompiledRule, EngineRecord } from '@tocsin/engine'
import { plain } from '../../output.ts'
import { readSettings } from '../../rules/settings-file.ts'
import type { BacktestOptions } from './backtest.ts'
import { readerOf, readThrough } from './events-file.ts'
import { noteCounts, Progress } from './progress.ts'

const SAMPLE = 5

/** The alerts that rules raise, or every change of them. */
export async function backtestAlerts(compiled: readonly CompiledRule[], options: BacktestOptions): Promise<void> {
  const { output, print, events } = options
  const isFile = typeof events === 'string'
  const rules = compiled.filter(({ alerts }) => alerts)
  const given = options.settings === undefined ? undefined : readSettings(options.settings)
  const settingsOf =
    given ??
    (isFile || options.rules === undefined ? () => ({}) : await (await import('./backtest-range.ts')).presentSettings(events))
  const place = isFile ? { topic: basename(events) } : { topic: TOPICS.auditEvents.name, partition: events.partition }
  const progress = new Progress(output)
  // The rules in force in a range may change within it.
  const runs = new ThresholdRuns({ rules, settingsOf, ...place }, options.rules !== undefined)
  const take = (record: EngineRecord, isTold: boolean) => {
    if (record.kind === 'event' && isTold) {
      progress.events++
      progress.seen(record.event.stamp)
    }
    const changes = runs.process(record, isTold)
    if (print === 'changes' && isTold) for (const change of changes) progress.result(JSON.stringify(change))
  }
  if (isFile) {
    const event: EventSink['event'] = ({ event: view, appendTime, line }) =>
      take({ kind: 'event', appendTime, offset: BigInt(line), event: view }, true)
    readThrough(events, progress, readerOf(options, { event, bad: (line) => progress.bad(line) }))
  } else {
    // The Kafka client is loaded where it is needed only.
    const { readTopic } = await import('./backtest-range.ts')
    const open = () => runs.alerts().filter((alert) => alert.open)
    await readTopic({ range: events, rules: options.rules === undefined ? undefined : rules, output, progress, open, take })
  }
  // What a range's changes were is known; how its alerts would have ended is not in it.
  if (isFile || print !== 'changes') {
    runs.end((changes) => {
      if (print === 'changes') for (const change of changes) progress.result(JSON.stringify(change))
    })
  }
  const alerts = runs.alerts()
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
  const told = runs.byThreshold().map(([times, count]) => `${count} at ${times} ×`)
  if (!own) output.note(`alerts by threshold: ${told.join(', ')}`)
  const uncounted = Object.entries(runs.counters()).filter(
    ([name, count]) => count > 0 && name !== 'events' && name !== 'counted',
  )
  if (uncounted.length > 0) output.note(`counters: ${uncounted.map(([name, count]) => `${name} ${count}`).join(', ')}`)
}

const described = ({ severity, title, count, firstSeen, lastSeen }: AlertFigures): string =>
  `${severity} ${title}: ${count} events from ${firstSeen} to ${lastSeen}`

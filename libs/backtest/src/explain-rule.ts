import { type CompiledRule, type EventView, logsourceTest } from '@tocsin/engine'
import { type Explanation, type LogSource, shown } from '@tocsin/sigma'
import { BacktestRun, type SettingsOf, withThreshold } from './backtest-run.ts'
import type { FileEvent } from './file-event.ts'
import { Tally } from './tally.ts'

/** One node of a condition held against an event; nodes below it follow it, one deeper. */
export interface ExplainedNode {
  readonly depth: number
  readonly holds: boolean
  readonly text: string
  /** What the event has there; empty where there is nothing to say. */
  readonly why: string
}

export interface ExplainedEvent {
  readonly id: string
  /** Position among the events given, from 1. */
  readonly line: number
  readonly detections: readonly {
    readonly title: string
    readonly holds: boolean
    /** The source that the rule asks for, and what the event has. */
    readonly source: { readonly holds: boolean; readonly text: string; readonly why: string }
    readonly nodes: readonly ExplainedNode[]
  }[]
  readonly groupBy: string
}

/** How far the window of a group came; where no alert was raised, found with the threshold at 1. */
export interface ExplainedWindow {
  readonly raised: boolean
  readonly severity: string
  readonly title: string
  readonly group: Readonly<Record<string, string>>
  readonly count: number
  /** At its first true moment. */
  readonly value: number
  readonly peak: number
  readonly threshold: number
  readonly spanMs: number
}

export interface ExplainedRule {
  readonly events: readonly ExplainedEvent[]
  readonly windows: readonly ExplainedWindow[]
  /** Why events did not count, by the engine's names. */
  readonly uncounted: Readonly<Record<string, number>>
}

/** Holds every event against a rule, each for itself and all together. */
export function explainRule(rule: CompiledRule, events: readonly FileEvent[], settingsOf: SettingsOf): ExplainedRule {
  const found = alertsOf(rule, events, settingsOf)
  let threshold = rule.atLeast
  const least = alertsOf(rule, events, (id) =>
    withThreshold(settingsOf(id), rule, (own) => {
      threshold = own
      return 1
    }),
  )
  const raised = new Set(found.alerts.map(({ group }) => JSON.stringify(group)))
  const windows = [
    ...found.alerts.map((alert) => windowOf(alert, true, alert.window.threshold)),
    ...least.alerts.filter(({ group }) => !raised.has(JSON.stringify(group))).map((alert) => windowOf(alert, false, threshold)),
  ]
  const uncounted = Object.entries(found.counters).filter(([name, count]) => count > 0 && name !== 'events')
  return {
    events: events.map(({ event, line }) => explainEvent(rule, event, line)),
    windows,
    uncounted: Object.fromEntries(uncounted),
  }
}

function explainEvent(rule: CompiledRule, event: EventView, line: number): ExplainedEvent {
  const { fields } = rule.groupBy
  const named = fields.map((field) => `${field} (${shown(event.fields(field))})`)
  return {
    id: event.id,
    line,
    detections: rule.detections.map(({ title, logsource, explain }) => {
      const isOfSource = logsourceTest(logsource)(event)
      const explanation = explain(event.fields)
      const why = `source is ${shown(event.text('format'))}, category ${shown(event.fields('category'))}`
      return {
        title,
        holds: isOfSource && explanation.holds,
        source: { holds: isOfSource, text: nameOf(logsource), why },
        nodes: [...nodesOf(explanation, 0)],
      }
    }),
    groupBy: named.join(rule.groupBy.mode === 'first' ? ', else ' : ', '),
  }
}

function* nodesOf({ text, holds, why, parts }: Explanation, depth: number): Generator<ExplainedNode> {
  yield { depth, holds, text, why }
  for (const part of parts) yield* nodesOf(part, depth + 1)
}

const nameOf = ({ product, category, service }: LogSource): string => [product, category, service].filter(Boolean).join('/')

type RaisedAlert = ReturnType<Tally['alerts']>[number]
const windowOf = (alert: RaisedAlert, raised: boolean, threshold: number): ExplainedWindow => {
  const { severity, title, group, count, peak, window } = alert
  return { raised, severity, title, group, count, value: window.value, peak, threshold, spanMs: window.spanMs }
}

function alertsOf(rule: CompiledRule, events: readonly FileEvent[], settingsOf: SettingsOf) {
  const run = new BacktestRun({ rules: [rule], settingsOf, topic: 'explain' })
  const tally = new Tally()
  for (const event of events) tally.add(run.take(event))
  for (const changes of run.end()) tally.add(changes)
  return { alerts: tally.alerts(), counters: run.counters() }
}

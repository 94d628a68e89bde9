/** One backtest, as its thread runs it. */
import { MappedReader, readRule, ThresholdRuns } from '@tocsin/backtest'
import { leadMs, readSince } from '@tocsin/backtest/topic-range'
import {
  type AlertFigures,
  type Backtest,
  type BacktestResult,
  MAX_BACKTEST_SAMPLE,
  type OrganizationSettings,
  TOPICS,
} from '@tocsin/contracts'
import type { CompiledRule, EngineRecord, EpochMs } from '@tocsin/engine'
import { createKafka } from '@tocsin/kafka'
import { createLogger } from '@tocsin/telemetry'
import { ownRecordOf } from './own-record.ts'

/** Where events are read from, by a connection of the thread's own. */
export interface EventCluster {
  readonly brokers: string
  readonly prefix: string
}

export interface BacktestTask {
  readonly rule: { readonly ruleId: string; readonly content: string }
  readonly organizationId: string
  /** Thresholds, calendar and exceptions as they are now. */
  readonly settings: OrganizationSettings
  readonly events:
    | { readonly kind: 'given'; readonly text: string; readonly now: EpochMs }
    | { readonly kind: 'kept'; readonly cluster: EventCluster; readonly partition: number; readonly since: EpochMs }
}

type Told = (progress: Backtest['progress']) => void
/** What of a backtest is counted while events go by. */
interface Figures {
  events: number
  passedOver: number
  share: number
  readonly span: { from: EpochMs; to: EpochMs }
}
type TaskOf<K extends BacktestTask['events']['kind']> = Omit<BacktestTask, 'events'> & {
  readonly events: Extract<BacktestTask['events'], { readonly kind: K }>
}

const DAY_MS = 86_400_000
const PROGRESS_MS = 250

/** Runs a rule whose text was checked before. RetryableError while Kafka is away. */
export async function runBacktest(task: BacktestTask, tell: Told): Promise<BacktestResult> {
  const started = performance.now()
  const { rule } = readRule(task.rule)
  if (rule === null) throw new Error('a backtest was begun with a text that is no rule')
  const runs = new ThresholdRuns(
    // A detection that would alert only where it is correlated alerts nobody here either.
    {
      rules: rule.alerts ? [rule] : [],
      settingsOf: () => task.settings,
      topic: TOPICS.auditEvents.name,
      partition: task.events.kind === 'kept' ? task.events.partition : 0,
    },
    true,
  )
  const figures: Figures = {
    events: 0,
    passedOver: 0,
    share: 0,
    span: { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY },
  }
  let toldAt = started
  const take = (record: EngineRecord, isTold: boolean, share: number) => {
    runs.process(record, isTold)
    if (record.kind === 'event' && isTold) figures.events++
    figures.share = share
    const now = performance.now()
    if (now - toldAt < PROGRESS_MS) return
    toldAt = now
    tell({ events: figures.events, share })
  }
  const { events } = task
  if (events.kind === 'given') takeGiven({ ...task, events }, figures, take)
  else await takeKept({ ...task, events }, rule, figures, take)
  runs.end()
  tell({ events: figures.events, share: 1 })
  const alerts = runs.alerts()
  return {
    alerts: alerts.length,
    perDay: alerts.length / daysOf(figures.span),
    sample: alerts.slice(0, MAX_BACKTEST_SAMPLE).map(sampleOf),
    byThreshold: Object.fromEntries(runs.byThreshold()),
    events: figures.events,
    passedOver: figures.passedOver,
    seconds: (performance.now() - started) / 1000,
  }
}

type Take = (record: EngineRecord, isTold: boolean, share: number) => void

function takeGiven({ organizationId, events: { text, now } }: TaskOf<'given'>, figures: Figures, take: Take): void {
  const lines = text.split('\n')
  const reader = new MappedReader(
    { format: undefined, year: undefined, zone: undefined, now, organizationId },
    {
      event: ({ event, appendTime, line }) => {
        if (event.organizationId !== organizationId) {
          figures.passedOver++
          return
        }
        widen(figures.span, event.stamp)
        take({ kind: 'event', appendTime, offset: BigInt(line), event }, true, line / lines.length)
      },
      bad: () => void figures.passedOver++,
    },
  )
  for (const [index, line] of lines.entries()) if (line.trim() !== '') reader.take(line, index + 1)
  reader.end()
}

/** From before the hours asked for, so that windows and alerts at their start are there; what lies before them is not told. */
async function takeKept(
  { organizationId, events: { cluster, partition, since } }: TaskOf<'kept'>,
  rule: CompiledRule,
  figures: Figures,
  take: Take,
): Promise<void> {
  // The library's own lines would be of a connection that nobody looks after; a failure is the job's answer.
  const kafka = createKafka({ ...cluster, clientId: 'persistence', log: createLogger('persistence', 'silent') })
  try {
    await readSince({ kafka, partition, since: since - leadMs([rule]) }, (record, share) => {
      const isTold = record.appendTime >= since
      if (isTold) widen(figures.span, record.appendTime)
      const own = ownRecordOf(record, organizationId)
      if (own !== undefined) take(own, isTold, share)
    })
  } finally {
    await kafka.close()
  }
}

function widen(span: Figures['span'], time: EpochMs): void {
  span.from = Math.min(span.from, time)
  span.to = Math.max(span.to, time)
}

const daysOf = ({ from, to }: Figures['span']): number => Math.max((to - from) / DAY_MS, 1 / 24)

const sampleOf = ({ severity, title, group, count, firstSeen, lastSeen }: AlertFigures): BacktestResult['sample'][number] => ({
  severity,
  title,
  group: { ...group },
  count,
  firstSeen,
  lastSeen,
})

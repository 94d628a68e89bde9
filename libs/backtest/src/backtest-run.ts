import type { OrganizationSettings } from '@tocsin/contracts'
import {
  type AlertChange,
  type CompiledRule,
  compileRule,
  type EngineRecord,
  type EpochMs,
  PartitionEngine,
} from '@tocsin/engine'
import type { FileEvent } from './file-event.ts'

export type SettingsOf = (organizationId: string) => OrganizationSettings

export interface RunOptions {
  readonly rules: readonly CompiledRule[]
  readonly settingsOf: SettingsOf
  /** Shown as the place of the evidence, with the line as offset. */
  readonly topic: string
  readonly partition?: number
}

/** Ticks are written each 10 s where the product runs; where log time has far to go, this many of them are enough. */
const TICK_MS = 10_000
const MOST_TICKS = 20_000
/** Longer than anything is kept: a span of 366 days, a cooldown and a lateness of 7 days each. */
const LONGEST_MS = 400 * 86_400_000

/** The engine over a file, which counts as one partition's log: the rules first, each organization's settings before its first event. */
export class BacktestRun {
  readonly #options: RunOptions
  readonly #engine: PartitionEngine
  readonly #organizations = new Set<string>()
  #hasBegun = false

  constructor(options: RunOptions) {
    this.#options = options
    const compiled = new Map(options.rules.map((rule) => [rule.record, rule]))
    this.#engine = new PartitionEngine({
      topic: options.topic,
      partition: options.partition ?? 0,
      compile: (record) => compiled.get(record) ?? compileRule(record),
    })
  }

  take({ event, appendTime, line }: FileEvent): AlertChange[] {
    return this.process({ kind: 'event', appendTime, offset: BigInt(line), event })
  }

  process(record: EngineRecord): AlertChange[] {
    const { appendTime } = record
    if (!this.#hasBegun) this.#begin(appendTime)
    if (record.kind === 'event' && !this.#organizations.has(record.event.organizationId))
      this.#beginOrganization(record.event.organizationId, appendTime)
    return this.#engine.process(record)
  }

  /** Lets log time run on by ticks until nothing is held: so every window is decided and every alert has its last figures. */
  *end(): Generator<AlertChange[]> {
    const last = this.#engine.logTime()
    if (last === null) return
    for (let n = 1; n <= MOST_TICKS; n++) {
      const { heldEvents, openAlerts } = this.#engine.gauges()
      if (heldEvents === 0 && openAlerts === 0) return
      // The first ones publish what is due by the clock alone; from then on only what is kept matters.
      const appendTime = last + Math.max(n * TICK_MS, Math.ceil((n / MOST_TICKS) ** 2 * LONGEST_MS))
      yield this.#engine.process({ kind: 'tick', appendTime, offset: -1n })
    }
  }

  counters() {
    return this.#engine.counters()
  }

  #begin(appendTime: EpochMs): void {
    this.#hasBegun = true
    for (const { record } of this.#options.rules)
      this.#engine.process({ kind: 'control', appendTime, offset: -1n, control: { kind: 'rule', rule: record } })
  }

  #beginOrganization(organizationId: string, appendTime: EpochMs): void {
    this.#organizations.add(organizationId)
    const settings = this.#options.settingsOf(organizationId)
    if (Object.keys(settings).length === 0) return
    const none = { recipients: { emails: [], slackChannels: [], phoneNumbers: [] }, keys: [] }
    const organization = {
      organizationId,
      version: 1,
      slug: organizationId,
      name: organizationId,
      partition: 0,
      settings,
      ...none,
    }
    this.#engine.process({ kind: 'control', appendTime, offset: -1n, control: { kind: 'organization', organization } })
  }
}

/** Units whose threshold is a number of its own; those of other correlations are how many rules there are. */
const SCALED: ReadonlySet<string> = new Set(['events', 'sum', 'distinct'])

/** The settings under which every rule that counts has its threshold multiplied, rounded up, at least 1. */
export function withThresholds(
  settings: OrganizationSettings,
  rules: readonly CompiledRule[],
  times: number,
): OrganizationSettings {
  const scaled = (threshold: number) => Math.max(1, Math.ceil(threshold * times))
  return rules.filter(({ unit }) => SCALED.has(unit)).reduce((before, rule) => withThreshold(before, rule, scaled), settings)
}

/** The settings under which one rule has another threshold. */
export function withThreshold(
  settings: OrganizationSettings,
  { record, traits, atLeast }: CompiledRule,
  other: (threshold: number) => number,
): OrganizationSettings {
  const own = settings.rules?.[record.ruleId]
  const named = traits.threshold === undefined ? undefined : settings[traits.threshold]
  const threshold = own?.threshold ?? (typeof named === 'number' ? named : atLeast)
  const changed = { ...settings, rules: { ...settings.rules, [record.ruleId]: { ...own, threshold: other(threshold) } } }
  // The same figure under two names would be refused.
  if (traits.threshold !== undefined) delete changed[traits.threshold]
  return changed
}

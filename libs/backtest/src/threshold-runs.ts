import type { AlertFigures, OrganizationSettings } from '@tocsin/contracts'
import type { AlertChange, EngineRecord } from '@tocsin/engine'
import { BacktestRun, type RunOptions, type SettingsOf, withThresholds } from './backtest-run.ts'
import { Tally } from './tally.ts'

const OTHER_THRESHOLDS = [0.5, 2, 4] as const

/** Rules as they are, and at once with their thresholds multiplied. */
export class ThresholdRuns {
  readonly #main: { readonly run: BacktestRun; readonly tally: Tally }
  readonly #others: readonly { readonly times: number; readonly run: BacktestRun; readonly tally: Tally }[]

  constructor(options: RunOptions, withOthers: boolean) {
    const { rules, settingsOf } = options
    this.#main = { run: new BacktestRun(options), tally: new Tally() }
    this.#others = (withOthers ? OTHER_THRESHOLDS : []).map((times) => ({
      times,
      run: new BacktestRun({ ...options, settingsOf: remembered((id) => withThresholds(settingsOf(id), rules, times)) }),
      tally: new Tally(),
    }))
  }

  /** The changes of the rules as they are. `isTold`: false before what is asked for begins. */
  process(record: EngineRecord, isTold: boolean): AlertChange[] {
    const changes = this.#main.run.process(record)
    this.#main.tally.add(changes, isTold)
    for (const { run, tally } of this.#others) tally.add(run.process(record), isTold)
    return changes
  }

  /** Lets log time run on until nothing is held; `told` is given the changes of the rules as they are. */
  end(told: (changes: readonly AlertChange[]) => void = () => {}): void {
    for (const changes of this.#main.run.end()) {
      this.#main.tally.add(changes)
      told(changes)
    }
    for (const { run, tally } of this.#others) for (const changes of run.end()) tally.add(changes)
  }

  alerts(): AlertFigures[] {
    return this.#main.tally.alerts()
  }

  /** How many alerts there are, by what the thresholds are multiplied with, in its order. */
  byThreshold(): (readonly [times: number, alerts: number])[] {
    const others = this.#others.map(({ times, tally }) => [times, tally.alerts().length] as const)
    return [...others, [1, this.alerts().length] as const].sort(([a], [b]) => a - b)
  }

  counters() {
    return this.#main.run.counters()
  }
}

function remembered(of: SettingsOf): SettingsOf {
  const known = new Map<string, OrganizationSettings>()
  return (id) => {
    const settings = known.get(id) ?? of(id)
    known.set(id, settings)
    return settings
  }
}

import type { AlertFigures } from '@tocsin/contracts'
import type { AlertChange } from '@tocsin/engine'

/** The last state of each alert that changes tell of, in order of their first appearance; those joined to another are left out. */
export class Tally {
  readonly #last = new Map<string, AlertFigures>()

  add(changes: readonly AlertChange[]): void {
    for (const { alert } of changes) this.#last.set(alert.id, alert)
  }

  alerts(): AlertFigures[] {
    return [...this.#last.values()].filter(({ metadata }) => metadata['mergedInto'] === undefined)
  }
}

import type { AlertFigures } from '@tocsin/contracts'
import type { AlertChange } from '@tocsin/engine'

/**
 * The last state of each alert that changes tell of, in order of their first appearance. Left out are those joined to another, and
 * those of which all was said before the telling began.
 */
export class Tally {
  readonly #last = new Map<string, AlertFigures>()
  readonly #told = new Set<string>()
  #isTelling = false

  add(changes: readonly AlertChange[], isTold = true): void {
    this.#isTelling ||= isTold
    for (const { alert } of changes) {
      this.#last.set(alert.id, alert)
      if (isTold) this.#told.add(alert.id)
    }
  }

  alerts(): AlertFigures[] {
    return [...this.#last.values()].filter(
      ({ id, metadata }) => metadata['mergedInto'] === undefined && (!this.#isTelling || this.#told.has(id)),
    )
  }
}

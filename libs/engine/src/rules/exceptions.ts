import type { OrganizationSettings } from '@tocsin/contracts'
import { compileSelectionData, type EventFields, type Selection } from '@tocsin/sigma'
import type { EpochMs } from '../time.ts'

/** One exception of an organization, ready to run. */
export interface CompiledException {
  readonly id: string
  /** Null: every rule. */
  readonly ruleId: string | null
  readonly selection: Selection
  /** In force while log time is before it. */
  readonly expiresAt: EpochMs
}

/** What is left of an event's matches, and the exceptions that took the others away (one entry for each rule). */
export interface Sifted<T> {
  readonly matches: readonly T[]
  readonly hits: readonly string[]
}

/** How often each exception of an organization has kept an event out of a rule. */
export interface ExceptionHits {
  readonly organizationId: string
  readonly hits: readonly (readonly [id: string, count: number])[]
}

/** @throws SelectionError for the first selection that cannot be run */
export const compileExceptions = ({ exceptions = [] }: OrganizationSettings): CompiledException[] =>
  exceptions.map(({ id, ruleId, match, expiresAt }) => ({
    id,
    ruleId,
    selection: compileSelectionData(match),
    expiresAt: expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(expiresAt),
  }))

/**
 * The exceptions of one organization: an event that one in force matches takes no part in the rule. Hits outlive a change of the
 * settings that keeps the exception's id.
 */
export class Exceptions {
  readonly #compiled: readonly CompiledException[]
  readonly #hits: Map<string, number>

  constructor(compiled: readonly CompiledException[], former: Exceptions | null) {
    this.#compiled = compiled
    this.#hits = new Map(compiled.map(({ id }) => [id, former?.hitsOf(id) ?? 0]))
  }

  hitsOf(id: string): number {
    return this.#hits.get(id) ?? 0
  }

  inForce(logTime: EpochMs): number {
    return this.#compiled.filter(({ expiresAt }) => logTime < expiresAt).length
  }

  hits(): readonly (readonly [string, number])[] {
    return [...this.#hits]
  }

  /** Changes nothing: hits are counted when the event takes effect. Every exception that matches gets a hit for each rule. */
  sift<T extends { readonly instance: { readonly ruleId: string } }>(
    matches: readonly T[],
    fields: EventFields,
    logTime: EpochMs,
  ): Sifted<T> {
    const matching = new Map<CompiledException, boolean>()
    const isExcepted = new Map<string, boolean>()
    const hits: string[] = []
    for (const { instance } of matches) {
      const { ruleId } = instance
      if (isExcepted.has(ruleId)) continue
      isExcepted.set(ruleId, false)
      for (const exception of this.#compiled) {
        if ((exception.ruleId !== null && exception.ruleId !== ruleId) || logTime >= exception.expiresAt) continue
        const known = matching.get(exception)
        const isMatch = known ?? exception.selection.matches(fields)
        if (known === undefined) matching.set(exception, isMatch)
        if (!isMatch) continue
        isExcepted.set(ruleId, true)
        hits.push(exception.id)
      }
    }
    return { matches: hits.length === 0 ? matches : matches.filter(({ instance }) => !isExcepted.get(instance.ruleId)), hits }
  }

  count(hits: readonly string[]): void {
    for (const id of hits) this.#hits.set(id, this.hitsOf(id) + 1)
  }

  /** Puts back what a snapshot holds. */
  restore(hits: readonly (readonly [string, number])[]): void {
    for (const [id, count] of hits) if (this.#hits.has(id)) this.#hits.set(id, count)
  }
}

import type { OrganizationSettings, TenantRecord } from '@tocsin/contracts'
import type { Shedding } from './held/organization-limits.ts'
import type { RulesInForce } from './matching/rules-in-force.ts'
import type { RuleBook } from './rule-book.ts'
import { type GroupWatch, RuleInstance } from './rule-instance.ts'
import { Calendar } from './rules/calendar.ts'
import { type CompiledException, Exceptions } from './rules/exceptions.ts'
import { bindProgram } from './rules/program.ts'

/** What the engine holds of one organization. Until its settings are known, the defaults apply. */
export class Organization {
  readonly id: string
  record: TenantRecord | null = null
  /** Those that an event has matched so far: of 10,000 organizations with 500 rules each, few. */
  readonly rules = new Map<string, RuleInstance>()
  /** Null where there are none. */
  exceptions: Exceptions | null = null
  /** Rules of which open alerts hold to an earlier version. */
  readonly pinned = new Set<RuleInstance>()
  /** Events held in all its groups, and the number of groups. */
  held = 0
  groups = 0
  /** Only while it is at its limits. */
  shedding: Shedding | null = null
  readonly #book: RuleBook
  readonly #watch: GroupWatch
  #rulesInForce: RulesInForce | null = null

  constructor(id: string, book: RuleBook, watch: GroupWatch) {
    this.id = id
    this.#book = book
    this.#watch = watch
  }

  get settings(): OrganizationSettings {
    return this.record?.settings ?? {}
  }

  /** The rules in force here. */
  get rulesInForce(): RulesInForce {
    this.#rulesInForce ??= this.#book.rulesIn(this.id)
    return this.#rulesInForce
  }

  rule(ruleId: string): RuleInstance {
    const known = this.rules.get(ruleId)
    if (known !== undefined) return known
    const instance = new RuleInstance(this, ruleId)
    this.rules.set(ruleId, instance)
    this.#refresh(instance)
    return instance
  }

  /** The book has another version of a rule. */
  changeRule(ruleId: string): void {
    this.#rulesInForce = null
    const instance = this.rules.get(ruleId)
    if (instance !== undefined) this.#refresh(instance)
  }

  changeRecord(record: TenantRecord, exceptions: readonly CompiledException[]): void {
    this.record = record
    this.exceptions = exceptions.length === 0 ? null : new Exceptions(exceptions, this.exceptions)
    for (const instance of this.rules.values()) this.#refresh(instance)
  }

  /** It was deleted: its alerts end, and its events go. */
  end(): void {
    for (const instance of this.rules.values()) instance.setProgram(null, null, this.#watch)
  }

  /** Brings a rule to the version and the settings in force. */
  #refresh(instance: RuleInstance): void {
    const rule = this.#book.inForce(this.id, instance.ruleId)
    const program = rule === null ? null : bindProgram(rule, this.settings)
    const calendar = rule === null || rule.calendar === null ? null : new Calendar(rule.calendar, this.settings)
    instance.setProgram(program, calendar, this.#watch)
  }
}

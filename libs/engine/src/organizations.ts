import type { ControlRecord, RuleRecord } from '@tocsin/contracts'
import type { GroupBaseline } from './baselines/baselines.ts'
import type { Group } from './group.ts'
import { Organization } from './organization.ts'
import { RuleBook, type Ruling } from './rule-book.ts'
import type { GroupWatch, RuleInstance } from './rule-instance.ts'
import type { CompiledRule } from './rules/rule.ts'

/** The organizations of a partition, and what is in force in each: the rules of the book under its settings. */
export class Organizations {
  readonly #book: RuleBook
  readonly #byId = new Map<string, Organization>()
  readonly #watch: GroupWatch

  constructor(compile: (record: RuleRecord) => CompiledRule, watch: GroupWatch) {
    this.#book = new RuleBook(compile)
    this.#watch = watch
  }

  get size(): number {
    return this.#byId.size
  }

  all(): Iterable<Organization> {
    return this.#byId.values()
  }

  /** One that nobody has told of yet has the rules of the installation and the default settings. */
  get(id: string): Organization {
    const known = this.#byId.get(id)
    if (known !== undefined) return known
    const organization = new Organization(id, this.#book, this.#watch)
    this.#byId.set(id, organization)
    return organization
  }

  /**
   * Reads a control record without changing anything; null when its version is not above the one in force.
   * @throws when it cannot be run
   */
  read(control: ControlRecord): Ruling | null {
    const known = control.kind === 'organization' ? this.#byId.get(control.organization.organizationId)?.record : undefined
    return this.#book.read(control, known ?? null)
  }

  apply(ruling: Ruling): void {
    if (ruling.kind === 'organization') {
      this.get(ruling.organization.organizationId).changeRecord(ruling.organization, ruling.exceptions)
      return
    }
    if (ruling.kind === 'organizationDeleted') {
      this.#byId.get(ruling.organizationId)?.end()
      this.#byId.delete(ruling.organizationId)
      this.#book.forget(ruling.organizationId)
      return
    }
    this.#book.set(ruling.rule)
    const { ruleId, organizationId } = ruling.rule.record
    if (organizationId !== null) this.get(organizationId).changeRule(ruleId)
    else for (const organization of this.#byId.values()) organization.changeRule(ruleId)
  }

  ruleRecords(): RuleRecord[] {
    return this.#book.records()
  }

  *instances(): Generator<RuleInstance> {
    for (const organization of this.#byId.values()) yield* organization.rules.values()
  }

  /** They may come and go while they are walked. */
  *baselines(): Generator<readonly [RuleInstance, GroupBaseline]> {
    for (const instance of this.instances()) for (const baseline of instance.baselines?.all() ?? []) yield [instance, baseline]
  }

  /** Groups may come and go while they are walked. */
  *groups(): Generator<Group> {
    for (const instance of this.instances()) yield* instance.groups.values()
  }
}

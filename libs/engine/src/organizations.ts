import type { ControlRecord, RuleRecord } from '@tocsin/contracts'
import { Calendar } from './calendar.ts'
import { Exceptions } from './exceptions.ts'
import type { Group } from './group.ts'
import { Organization } from './organization.ts'
import { bindProgram } from './program.ts'
import type { CompiledRule } from './rule.ts'
import { RuleBook, type Ruling } from './rule-book.ts'
import type { GroupWatch, RuleInstance } from './rule-instance.ts'

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
    const organization = new Organization(id)
    this.#byId.set(id, organization)
    for (const ruleId of this.#book.ruleIdsOf(id)) this.#refresh(organization, ruleId)
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
      const organization = this.get(ruling.organization.organizationId)
      organization.record = ruling.organization
      const { exceptions } = ruling
      organization.exceptions = exceptions.length === 0 ? null : new Exceptions(exceptions, organization.exceptions)
      for (const ruleId of organization.rules.keys()) this.#refresh(organization, ruleId)
      return
    }
    this.#book.set(ruling.rule)
    const { ruleId, organizationId } = ruling.rule.record
    if (organizationId !== null) this.#refresh(this.get(organizationId), ruleId)
    else for (const organization of this.#byId.values()) this.#refresh(organization, ruleId)
  }

  ruleRecords(): RuleRecord[] {
    return this.#book.records()
  }

  *instances(): Generator<RuleInstance> {
    for (const organization of this.#byId.values()) yield* organization.rules.values()
  }

  /** Groups may come and go while they are walked. */
  *groups(): Generator<Group> {
    for (const instance of this.instances()) yield* instance.groups.values()
  }

  /** Brings one rule of an organization to the version and the settings in force. */
  #refresh(organization: Organization, ruleId: string): void {
    const rule = this.#book.inForce(organization.id, ruleId)
    const program = rule === null ? null : bindProgram(rule, organization.settings)
    const calendar = rule === null || rule.calendar === null ? null : new Calendar(rule.calendar, organization.settings)
    organization.rule(ruleId).setProgram(program, calendar, this.#watch)
  }
}

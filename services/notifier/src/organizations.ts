import type { Recipients } from '@tocsin/contracts'
import { TenantRecord } from '@tocsin/contracts'
import { headerOf, type KafkaRecord } from '@tocsin/kafka'
import { Compile } from 'typebox/compile'

const tenantRecord = Compile(TenantRecord)

export interface Organization {
  readonly name: string
  readonly version: number
  readonly settings: TenantRecord['settings']
  readonly recipients: Recipients
}

/** Settings and recipients of every organization, as read from the compacted topic `tenants`. */
export class Organizations {
  readonly #known = new Map<string, Organization>()
  readonly #deleted = new Set<string>()
  readonly #onChange: (organizationId: string) => void

  /** @param onChange called with each organization that is new or has changed */
  constructor(onChange: (organizationId: string) => void = () => undefined) {
    this.#onChange = onChange
  }

  of(organizationId: string): Organization | undefined {
    return this.#known.get(organizationId)
  }

  /** Whether `tenants` says that there is none any more. */
  isDeleted(organizationId: string): boolean {
    return this.#deleted.has(organizationId)
  }

  all(): Iterable<string> {
    return this.#known.keys()
  }

  /** Takes a record of `tenants`; throws on one that is not of the contract. */
  take(record: KafkaRecord): void {
    const organizationId = record.key?.toString() ?? ''
    if (record.value === null) {
      this.#known.delete(organizationId)
      this.#deleted.add(organizationId)
      return
    }
    const value: unknown = JSON.parse(record.value.toString())
    if (!tenantRecord.Check(value)) {
      throw new Error(`a record of tenants is not valid (${headerOf(record, 'tocsin-schema') ?? 'no schema named'})`)
    }
    if (value.version <= (this.#known.get(value.organizationId)?.version ?? 0)) return
    const { name, version, settings, recipients } = value
    this.#known.set(value.organizationId, { name, version, settings, recipients })
    this.#onChange(value.organizationId)
  }
}

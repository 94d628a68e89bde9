/**
 * Lists of alerts: keyset pages, counts.
 *
 * What the document must hold (`q`, subject, tag) is looked for where it is soonest found, and each way gives the same page:
 *
 * 1. among the next NEAR alerts of the list, or FURTHER times as many where those found so far promise a page: enough where one in a hundred has it;
 * 2. else in the documents' index: where few alerts have it, the list is made among those. Of several words the one that is rarest among the
 *    latest alerts is asked for by itself, because the beginning of a common word costs the index a step for each alert that has it;
 * 3. else in the same index by all words together, and where that is no better,
 * 4. by walking on in the list's order: one in some hundred has it.
 */
import type { Alert, AlertSort, SortOrder } from '@tocsin/contracts'
import type { Query } from '@tocsin/postgres'
import { searchTerms } from '../core/search-words.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { COUNT_ALERTS, LIST_ALERTS, RAREST_TERM, SEARCH_ALERTS, WALK_IN_ORDER } from '../sql/alert-list-sql.ts'
import { type AlertRow, alertOf } from './alert-row.ts'

/** null: no such filter. Times are RFC 3339. */
export interface AlertFilter {
  readonly statuses: readonly string[] | null
  readonly severities: readonly string[] | null
  readonly types: readonly string[] | null
  readonly source: string | null
  readonly acknowledged: boolean | null
  readonly resolved: boolean | null
  readonly from: string | null
  readonly to: string | null
  readonly rule: string | null
  readonly assignee: string | null
  /** Whether those that were merged into others belong to it. */
  readonly merged: boolean
  readonly tag: string | null
  /** Exact values of `group`, of which one is enough. */
  readonly subjects: readonly string[] | null
  readonly q: string | null
}

/** But those that were merged into others. */
export const EVERY_ALERT: AlertFilter = {
  statuses: null,
  severities: null,
  types: null,
  source: null,
  acknowledged: null,
  resolved: null,
  from: null,
  to: null,
  rule: null,
  assignee: null,
  merged: false,
  tag: null,
  subjects: null,
  q: null,
}

export interface ListOrder {
  readonly sort: AlertSort
  readonly order: SortOrder
}

/** The last alert of the page before, as PostgreSQL writes it. */
export interface ListPlace {
  /** Of the column that is sorted by. */
  readonly value: string
  readonly id: string
  readonly createdAt: string
}

export interface ListedAlert {
  readonly alert: Alert
  readonly place: ListPlace
}

type ListedRow = AlertRow & { readonly place_value: string; readonly place_created: string }

const NEAR = 1_000
const FURTHER = 5
const FEW = 2_000
/** Of the latest alerts, to tell rare words from common ones. */
const SAMPLE = 200

/** Which alerts, in the order of `FITTING` and `HOLDING`. */
type Fitting = readonly unknown[]

export class AlertList {
  readonly #query: Query
  readonly #organizationId: string
  readonly #filter: AlertFilter
  readonly #terms: readonly string[]
  /** Text of a tsquery of all terms; null: nothing is looked for in documents. */
  readonly #wanted: string | null
  #found: Promise<Fitting> | undefined

  private constructor(query: Query, organizationId: string, filter: AlertFilter, terms: readonly string[]) {
    this.#query = query
    this.#organizationId = organizationId
    this.#filter = filter
    this.#terms = terms
    this.#wanted = terms.length === 0 ? null : terms.join(' & ')
  }

  /** For one transaction. null: nothing can fit, since `q` has no letter and no digit. */
  static begin(query: Query, organizationId: string, filter: AlertFilter): AlertList | null {
    const terms = searchTerms(organizationId, filter)
    if (terms === 'noWord') return null
    // Goes to the server with the list's first statement, which fails where this one does.
    query(WALK_IN_ORDER).catch(() => {})
    return new AlertList(query, organizationId, filter, terms)
  }

  /** Equal values by creation and id, in the same direction. The organization's key must be loaded. */
  async page(cipher: FieldCipher, sorting: ListOrder, after: ListPlace | null, limit: number): Promise<ListedAlert[]> {
    const rows = await this.#rows(sorting, after, limit)
    return rows.map((row) => ({
      alert: alertOf(cipher, row),
      place: { value: row.place_value, id: row.id, createdAt: row.place_created },
    }))
  }

  async total(): Promise<number> {
    const fitting = this.#wanted === null ? this.#fitting(null, null) : await this.#search(this.#wanted)
    const [row] = await this.#query<{ total: bigint }>(COUNT_ALERTS, fitting)
    return Number(row?.total ?? 0n)
  }

  async #rows({ sort, order }: ListOrder, after: ListPlace | null, limit: number): Promise<ListedRow[]> {
    const place = [after?.value ?? null, after?.id ?? null, after?.createdAt ?? null]
    const rows = (fitting: Fitting, lookedAt: number | null) =>
      this.#query<ListedRow>(LIST_ALERTS[sort][order], [...fitting, ...place, limit, lookedAt])
    if (this.#wanted === null) return rows(this.#fitting(null, null), limit)
    const among = this.#fitting(null, this.#wanted)
    const near = await rows(among, NEAR) // (1)
    const enough = near.length < limit && near.length * FURTHER >= limit ? await rows(among, NEAR * FURTHER) : near
    return enough.length === limit ? enough : rows(await this.#search(this.#wanted), null)
  }

  /** Among few (2, 3), or by walking (4). */
  #search(wanted: string): Promise<Fitting> {
    this.#found ??= this.#few(wanted).then((ids) => this.#fitting(ids, wanted))
    return this.#found
  }

  /** All that can fit, and others where only one term was asked for; null: they are many. */
  async #few(wanted: string): Promise<readonly string[] | null> {
    if (this.#terms.length === 1) return this.#inIndex(wanted)
    const [rarest] = await this.#query<{ term: string }>(RAREST_TERM, [this.#organizationId, this.#terms, SAMPLE])
    return (await this.#inIndex(rarest?.term ?? wanted)) ?? (await this.#inIndex(wanted))
  }

  async #inIndex(term: string): Promise<readonly string[] | null> {
    const found = await this.#query<{ id: string }>(SEARCH_ALERTS, [term, FEW + 1])
    return found.length > FEW ? null : found.map(({ id }) => id)
  }

  #fitting(ids: readonly string[] | null, wanted: string | null): Fitting {
    const { statuses, severities, types, source, acknowledged, resolved, from, to, rule, assignee, merged } = this.#filter
    return [
      this.#organizationId,
      statuses,
      severities,
      types,
      source,
      acknowledged,
      resolved,
      from,
      to,
      rule,
      assignee,
      merged,
      ids,
      wanted,
    ]
  }
}

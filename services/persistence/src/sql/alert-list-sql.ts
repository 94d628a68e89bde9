import type { AlertSort, SortOrder } from '@tocsin/contracts'
import { ALERT_COLUMNS } from './alert-columns.ts'

/**
 * Which alerts. $1 organization, $2 statuses, $3 severities, $4 types, $5 source, $6 acknowledged, $7 resolved, $8 created at or after,
 * $9 created before, $10 rule, $11 assignee, $12 whether merged ones too, $13 only these ids. null: no such filter.
 */
const FITTING = `
       organization_id = $1
   AND ($2::text[] IS NULL OR status = ANY ($2))
   AND ($3::text[] IS NULL OR severity = ANY ($3))
   AND ($4::text[] IS NULL OR type = ANY ($4))
   AND ($5::text IS NULL OR source = $5)
   AND ($6::boolean IS NULL OR acknowledged = $6)
   AND ($7::boolean IS NULL OR resolved = $7)
   AND ($8::timestamptz IS NULL OR created_at >= $8)
   AND ($9::timestamptz IS NULL OR created_at < $9)
   AND ($10::text IS NULL OR rule_id = $10)
   AND ($11::text IS NULL OR assignee = $11)
   AND ($12::boolean OR merged_into IS NULL)
   AND ($13::uuid[] IS NULL OR id = ANY ($13))`

/** $14: what the document must hold. */
const HOLDING = '($14::tsquery IS NULL OR document @@ $14)'

/**
 * What an order goes by: columns in turn, of which the id is the last. `value`: the one that a place tells, beside the id and when it was created.
 * Hour and digits follow from the column after them, and are what the index holds (migration 0090).
 */
const SORT_KEYS = {
  created: { value: 'created_at', columns: ['created_at', 'id'], place: '($15::timestamptz, $16::uuid)' },
  updated: {
    value: 'updated_at',
    columns: ['updated_hour', 'updated_at', 'id'],
    place: "(date_bin('1 hour', $15::timestamptz, '2000-01-01 00:00:00+00'), $15::timestamptz, $16::uuid)",
  },
  severity: {
    value: 'severity_rank',
    columns: ['severity_rank', 'created_at', 'id'],
    place: '($15::smallint, $17::timestamptz, $16::uuid)',
  },
  count: {
    value: 'count',
    columns: ['count_digits', 'count', 'created_at', 'id'],
    place: '(length($15::bigint::text)::smallint, $15::bigint, $17::timestamptz, $16::uuid)',
  },
} as const satisfies Record<AlertSort, { readonly value: string; readonly columns: readonly string[]; readonly place: string }>

const ORDERS = { desc: { word: 'DESC', beyond: '<' }, asc: { word: 'ASC', beyond: '>' } } as const

/**
 * `FITTING`, `HOLDING`, then $15 to $17 the last place seen (value, id, created_at; null: from the start), $18 limit, $19 how many fitting ones
 * are looked at for `HOLDING` (null: all). A place is told in full, as text, because a Date would lose its microseconds.
 */
const listStatement = (sort: AlertSort, order: SortOrder): string => {
  const { value, columns, place } = SORT_KEYS[sort]
  const { word, beyond } = ORDERS[order]
  const sorted = columns.map((column) => `${column} ${word}`).join(', ')
  return `
SELECT ${ALERT_COLUMNS}, ${value}::text AS place_value, created_at::text AS place_created
  FROM (SELECT *
          FROM alerts
         WHERE ${FITTING}
           AND ($15::text IS NULL OR $17::text IS NULL OR (${columns.join(', ')}) ${beyond} ${place})
         ORDER BY ${sorted}
         LIMIT $19) AS alerts
 WHERE ${HOLDING}
 ORDER BY ${sorted}
 LIMIT $18`
}

/** One statement for each sort and order, made once and of constants only. */
export const LIST_ALERTS: Readonly<Record<AlertSort, Readonly<Record<SortOrder, string>>>> = {
  created: { desc: listStatement('created', 'desc'), asc: listStatement('created', 'asc') },
  updated: { desc: listStatement('updated', 'desc'), asc: listStatement('updated', 'asc') },
  severity: { desc: listStatement('severity', 'desc'), asc: listStatement('severity', 'asc') },
  count: { desc: listStatement('count', 'desc'), asc: listStatement('count', 'asc') },
}

/** `FITTING` and `HOLDING`. */
export const COUNT_ALERTS = `SELECT count(*) AS total FROM alerts WHERE ${FITTING} AND ${HOLDING}`

/** $1 tsquery, $2 most. Ids in the transaction's organization, in no order; see migration 0020. */
export const SEARCH_ALERTS = 'SELECT search_alerts($1::tsquery, $2) AS id'

/** $1 organization, $2 texts of tsqueries, $3 of how many of the latest alerts: the one that the fewest of them have; of equal ones the longest. */
export const RAREST_TERM = `
SELECT asked.term
  FROM unnest($2::text[]) AS asked (term)
  LEFT JOIN (SELECT document FROM alerts WHERE organization_id = $1 ORDER BY created_at DESC, id DESC LIMIT $3) AS latest
    ON latest.document @@ asked.term::tsquery
 GROUP BY asked.term
 ORDER BY count(latest.document), length(asked.term) DESC
 LIMIT 1`

/** To the transaction's end a list walks the index of its order: never the seed's indexes of one column each, which hold all organizations. */
export const WALK_IN_ORDER = `SELECT set_config('enable_bitmapscan', 'off', true)`

import type { ALERT_FILTERS, Permission } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type Query, sqlStateOf } from '@tocsin/postgres'
import type Type from 'typebox'
import { type AlertFilter, AlertList } from '../repositories/alert-list.ts'

/** The filters of a request, as its schema has checked them. */
export type AskedFilters = Type.Static<Type.TObject<typeof ALERT_FILTERS>>

/** Filters that look into what is masked for a caller without `sensitive:read`: what may not be read may not be guessed either. */
const SENSITIVE_FILTERS = ['q', 'subject'] as const

/** Throws HttpProblem 403 where the caller asks by what it may not read. */
export function filterOf(asked: AskedFilters, permissions: ReadonlySet<Permission>): AlertFilter {
  for (const name of SENSITIVE_FILTERS)
    if (asked[name] !== undefined && !permissions.has('sensitive:read'))
      throw new HttpProblem(
        403,
        'FORBIDDEN',
        `The filter ${name} looks into what you may not read (sensitive:read). Leave it out.`,
      )
  return {
    statuses: listOf(asked.status),
    severities: listOf(asked.severity),
    types: listOf(asked.type),
    source: asked.source ?? null,
    acknowledged: asked.acknowledged ?? null,
    resolved: asked.resolved ?? null,
    from: asked.from ?? null,
    to: asked.to ?? null,
    rule: asked.rule ?? null,
    assignee: asked.assignee ?? null,
    merged: asked.merged ?? false,
    tag: asked.tag ?? null,
    subjects: asked.subject === undefined ? null : [asked.subject],
    q: asked.q ?? null,
  }
}

/** SQLSTATE class 22: a value that fits the schema and that PostgreSQL has no place for, for instance a date of the year 0. */
export function refuseBadValue(error: unknown): never {
  if (sqlStateOf(error).startsWith('22'))
    throw new HttpProblem(400, 'INVALID_REQUEST', 'A filter has a value out of range.', { cause: error })
  throw error
}

/** For one transaction. Throws HttpProblem 400 for `q` without a letter and a digit. */
export function alertListOf(query: Query, organizationId: string, filter: AlertFilter): AlertList {
  const list = AlertList.begin(query, organizationId, filter)
  if (list !== null) return list
  throw new HttpProblem(
    400,
    'INVALID_REQUEST',
    'q has no letter and no digit: nothing can be found by it. Give the beginning of a word.',
  )
}

const listOf = (value: string | readonly string[] | undefined): readonly string[] | null =>
  value === undefined ? null : typeof value === 'string' ? [value] : value

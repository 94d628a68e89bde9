import type { RuleWithText } from '@tocsin/contracts'
import { type ApiAnswer, ask, fetchJson } from '../../api.ts'
import type { Output } from '../../output.ts'

/** Which organization's rules, and by whose right. */
export interface RulesAccess {
  readonly url: string
  readonly token: string
  /** Undefined: the token's only one. */
  readonly organizationId?: string | undefined
  readonly json?: boolean | undefined
  readonly output: Output
}

/** Something below `/api/rules`. */
export function rulesUrl({ url, organizationId }: RulesAccess, path = '', query: Readonly<Record<string, string>> = {}): string {
  const all = new URLSearchParams({ ...query, ...(organizationId === undefined ? {} : { organizationId }) })
  return `${url}/api/rules${path}${all.size === 0 ? '' : `?${all}`}`
}

export const pathOf = (ruleId: string): string => `/${encodeURIComponent(ruleId)}`

export const readFrom = <T>(access: RulesAccess, path: string, query?: Readonly<Record<string, string>>): Promise<T> =>
  fetchJson<T>(rulesUrl(access, path, query), { token: access.token })

export const postTo = <T>(access: RulesAccess, path: string, body: object): Promise<T> =>
  fetchJson<T>(rulesUrl(access, path), { method: 'POST', token: access.token, body: JSON.stringify(body) })

export const saveDraft = (access: RulesAccess, ruleId: string, content: string, reason: string): Promise<ApiAnswer> =>
  ask(rulesUrl(access, pathOf(ruleId)), { method: 'PUT', token: access.token, body: JSON.stringify({ content, reason }) })

/** Null: there is none. */
export async function findRule(access: RulesAccess, ruleId: string): Promise<RuleWithText | null> {
  const answer = await ask(rulesUrl(access, pathOf(ruleId)), { token: access.token })
  return answer.status === 200 ? (answer.body as RuleWithText) : null
}

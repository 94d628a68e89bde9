import type {
  AddException,
  Backtest,
  ExceptionAdded,
  ExceptionList,
  ExceptionProposal,
  ExplainedRule,
  HiddenAlerts,
  LintedRule,
  ListedRule,
  RuleDiff,
  RuleException,
  RuleVersion,
  RuleWithText,
  TestedRule,
} from '@tocsin/contracts'
import { call, callTagged, inOrganization, type Tagged } from './request.ts'

/** What somebody does to a rule that is there. */
export type RuleOrder =
  | { readonly act: 'activate' | 'pause' | 'resume' | 'retire'; readonly reason: string }
  | { readonly act: 'revert'; readonly version: number; readonly reason: string }

/** A text that is tried, as the rule of that id; null: as the text says itself. */
export interface Tried {
  readonly content: string
  readonly ruleId: string | null
}

const at = (organizationId: string, ruleId: string, rest = '') =>
  `/api/rules/${encodeURIComponent(ruleId)}${rest}${inOrganization(organizationId)}`
const tried = ({ content, ruleId }: Tried) => ({ content, ...(ruleId === null ? {} : { ruleId }) })
const trial = <T>(organizationId: string, what: 'lint' | 'test' | 'explain', body: object) =>
  call<T>(`/api/rules/${what}${inOrganization(organizationId)}`, { method: 'POST', body })

export const rulesApi = {
  list: (organizationId: string, signal?: AbortSignal) =>
    call<{ readonly items: readonly ListedRule[] }>(`/api/rules${inOrganization(organizationId)}`, { signal }),
  one: (organizationId: string, ruleId: string, signal?: AbortSignal) =>
    callTagged<RuleWithText>(at(organizationId, ruleId), { signal }),
  versions: (organizationId: string, ruleId: string, signal?: AbortSignal) =>
    call<{ readonly items: readonly RuleVersion[] }>(at(organizationId, ruleId, '/versions'), { signal }),
  diff: (organizationId: string, ruleId: string, from: number, to: number, signal?: AbortSignal) =>
    call<RuleDiff>(`/api/rules/${encodeURIComponent(ruleId)}/diff${inOrganization(organizationId, { from, to })}`, { signal }),
  /** `etag` null: a rule that is not there yet. */
  saveDraft: (
    organizationId: string,
    ruleId: string,
    etag: string | null,
    body: { readonly content: string; readonly reason: string },
  ): Promise<Tagged<RuleWithText>> =>
    callTagged(at(organizationId, ruleId), { method: 'PUT', body, headers: etag === null ? {} : { 'if-match': etag } }),
  act: (organizationId: string, ruleId: string, etag: string, { act, ...body }: RuleOrder): Promise<Tagged<RuleWithText>> =>
    callTagged(at(organizationId, ruleId, `/${act}`), { method: 'POST', body, headers: { 'if-match': etag } }),
  lint: (organizationId: string, text: Tried) => trial<LintedRule>(organizationId, 'lint', tried(text)),
  test: (organizationId: string, text: Tried) => trial<TestedRule>(organizationId, 'test', tried(text)),
  explain: (organizationId: string, text: Tried, events: readonly unknown[]) =>
    trial<ExplainedRule>(organizationId, 'explain', { ...tried(text), events }),
  startBacktest: (organizationId: string, body: { readonly ruleId: string; readonly content?: string; readonly hours: number }) =>
    call<Backtest>(`/api/rules/backtest${inOrganization(organizationId)}`, { method: 'POST', body }),
  backtest: (organizationId: string, id: string, signal?: AbortSignal) =>
    call<Backtest>(`/api/rules/backtests/${id}${inOrganization(organizationId)}`, { signal }),
  cancelBacktest: (organizationId: string, id: string) =>
    call<Backtest>(`/api/rules/backtests/${id}${inOrganization(organizationId)}`, { method: 'DELETE' }),
}

export const exceptionsApi = {
  list: (organizationId: string, signal?: AbortSignal) =>
    call<ExceptionList>(`/api/exceptions${inOrganization(organizationId)}`, { signal }),
  propose: (organizationId: string, alertId: string, signal?: AbortSignal) =>
    call<ExceptionProposal>(`/api/alerts/${alertId}/exception${inOrganization(organizationId)}`, { signal }),
  preview: (organizationId: string, body: Pick<AddException, 'ruleId' | 'match'> & { readonly days: number }) =>
    call<HiddenAlerts>(`/api/exceptions/preview${inOrganization(organizationId)}`, { method: 'POST', body }),
  add: (organizationId: string, body: AddException) =>
    call<ExceptionAdded>(`/api/exceptions${inOrganization(organizationId)}`, { method: 'POST', body }),
  end: (organizationId: string, id: string) =>
    call<RuleException>(`/api/exceptions/${encodeURIComponent(id)}${inOrganization(organizationId)}`, { method: 'DELETE' }),
}

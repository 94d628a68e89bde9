import type { Rule } from '@tocsin/contracts'

/** The state, and that there is a draft beside what is in force. */
export const RuleState = ({ rule }: { readonly rule: Pick<Rule, 'state' | 'draft'> }) => (
  <span className={`status rule-${rule.state}`}>
    <span aria-hidden="true" className="status-dot" />
    {rule.state}
    {rule.draft !== null && rule.state !== 'draft' ? ', new draft' : ''}
  </span>
)

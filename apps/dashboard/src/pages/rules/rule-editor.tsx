import { useState } from 'react'
import { Failure } from '../../parts/failure.tsx'
import { useSignedIn } from '../../session.tsx'
import { useRuleChanges } from './use-rule-changes.ts'

/** The text of a rule under somebody's hands; saved, it is a draft. `etag` null: the rule is not there yet. */
export function RuleEditor({
  ruleId,
  etag,
  content,
  onChange,
  onSaved,
  onCancel,
}: {
  readonly ruleId: string
  readonly etag: string | null
  readonly content: string
  readonly onChange: (content: string) => void
  readonly onSaved: () => void
  readonly onCancel: () => void
}) {
  const { organization } = useSignedIn()
  const [reason, setReason] = useState('')
  const change = useRuleChanges(organization.organizationId, ruleId, etag)
  return (
    <form
      className="rule-editor"
      onSubmit={(event) => {
        event.preventDefault()
        change.mutate({ act: 'save', content, reason: reason.trim() }, { onSuccess: onSaved })
      }}
    >
      <label>
        Text of the rule, YAML
        <textarea
          required
          className="rule-text"
          rows={24}
          maxLength={262_144}
          spellCheck={false}
          value={content}
          onChange={(event) => onChange(event.target.value)}
        />
      </label>
      <label>
        Reason of the change
        <input required maxLength={2_000} pattern=".*\S.*" value={reason} onChange={(event) => setReason(event.target.value)} />
      </label>
      {change.error && <Failure error={change.error} />}
      <div className="actions">
        <button type="submit" className="primary" disabled={change.isPending || ruleId.trim() === ''}>
          Save the draft
        </button>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
        <span className="quiet">What is in force stays until the draft is activated.</span>
      </div>
    </form>
  )
}

import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { ruleQuery } from '../../api/rule-queries.ts'
import { Failure } from '../../parts/failure.tsx'
import { PageHeading } from '../../parts/page-heading.tsx'
import { useSignedIn } from '../../session.tsx'
import { RuleEditor } from './rule-editor.tsx'
import { RuleTrials } from './rule-trials.tsx'

const BEGINNING = `title: Many failed logins
level: high
logsource:
  product: tocsin
detection:
  selection:
    action: auth.login
    outcome: failure
  condition: selection
x-tocsin:
  tests:
    - name: a failed login is an alert
      events: [{ action: auth.login, status: failure, principalId: u1 }]
      alerts: [{ count: 1, group: { principalId: u1 } }]
`

/** Of the address: the rule whose text is copied. */
export function readCopy(raw: Readonly<Record<string, unknown>>): { readonly copy?: string } {
  const given: unknown = Array.isArray(raw['copy']) ? raw['copy'][0] : raw['copy']
  return typeof given === 'string' && given !== '' ? { copy: given } : {}
}

/** A rule that is not there yet, from a beginning or from the text of another one. */
export function NewRule() {
  const { copy } = useSearch({ from: '/new-rule' })
  const { organization, may } = useSignedIn()
  const original = useQuery({ ...ruleQuery(organization.organizationId, copy ?? ''), enabled: copy !== undefined })
  return (
    <main className="page" id="content">
      <p>
        <Link to="/rules" search={(now) => now}>
          ← All rules
        </Link>
      </p>
      <PageHeading title="New rule" />
      {original.error && <Failure error={original.error} retry={() => void original.refetch()} />}
      {!may('rules:write') ? (
        <p className="notice">Your role may read rules and not change them.</p>
      ) : copy === undefined ? (
        <Form content={BEGINNING} id="" />
      ) : (
        original.data && (
          <Form content={withoutId(original.data.body.text.content, copy)} id={`${copy.replace(/^tocsin\./, '')}-copy`} />
        )
      )}
    </main>
  )
}

/** Without the line that calls the rule what its original is called: the copy is called as it is saved. */
const withoutId = (content: string, ruleId: string): string =>
  content
    .split('\n')
    .filter((line) => line.trim() !== `id: ${ruleId}`)
    .join('\n')

function Form({ content, id }: { readonly content: string; readonly id: string }) {
  const { organization } = useSignedIn()
  const navigate = useNavigate()
  const [ruleId, setRuleId] = useState(id)
  const [text, setText] = useState(content)
  return (
    <>
      <label className="field">
        Id of the rule, which stays
        <input
          required
          maxLength={255}
          value={ruleId}
          placeholder="acme.failed-logins"
          onChange={(event) => setRuleId(event.target.value)}
        />
      </label>
      <RuleEditor
        ruleId={ruleId.trim()}
        etag={null}
        content={text}
        onChange={setText}
        onSaved={() =>
          void navigate({
            to: '/rules/$ruleId',
            params: { ruleId: ruleId.trim() },
            search: ({ org }) => (org === undefined ? {} : { org }),
          })
        }
        onCancel={() => void navigate({ to: '/rules', search: (now) => now })}
      />
      <section>
        <h2>Try it</h2>
        <RuleTrials
          organizationId={organization.organizationId}
          text={{ content: text, ruleId: ruleId.trim() === '' ? null : ruleId.trim() }}
        />
      </section>
    </>
  )
}

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import type { ExceptionAdded, ExceptionProposal } from '@tocsin/contracts'
import { useState } from 'react'
import { exceptionsQuery, proposalQuery } from '../../api/rule-queries.ts'
import { exceptionsApi } from '../../api/rules.ts'
import { Failure } from '../../parts/failure.tsx'
import { PageHeading } from '../../parts/page-heading.tsx'
import { useSignedIn } from '../../session.tsx'
import { HiddenAlertList } from './hidden-alert-list.tsx'

const PREVIEW_DAYS = 30
const DAY_MS = 86_400_000
const ENDS = [7, 30, 90, 365] as const

/** An exception made from an alert: what would be kept out is shown before it is made. */
export function NewException() {
  const { id } = useParams({ from: '/alerts/$id/exception' })
  const { organization, may } = useSignedIn()
  const proposal = useQuery({ ...proposalQuery(organization.organizationId, id), enabled: may('exceptions:write') })
  const [added, setAdded] = useState<ExceptionAdded | null>(null)
  return (
    <main className="page" id="content">
      <p>
        <Link to="/alerts/$id" params={{ id }} search={(now) => now}>
          ← The alert
        </Link>
      </p>
      <PageHeading title="New exception" />
      {!may('exceptions:write') && <p className="notice">Your role may not make exceptions.</p>}
      {proposal.error && <Failure error={proposal.error} retry={() => void proposal.refetch()} />}
      {added ? <Added added={added} /> : proposal.data && <Form proposal={proposal.data} onAdded={setAdded} />}
    </main>
  )
}

function Form({
  proposal,
  onAdded,
}: {
  readonly proposal: ExceptionProposal
  readonly onAdded: (added: ExceptionAdded) => void
}) {
  const { organization } = useSignedIn()
  const { organizationId } = organization
  const client = useQueryClient()
  const [ruleId, setRuleId] = useState(proposal.ruleId)
  const [match, setMatch] = useState(JSON.stringify(proposal.match, null, 2))
  const [reason, setReason] = useState('')
  const [days, setDays] = useState<number | null>(30)
  const preview = useMutation({
    mutationFn: () => exceptionsApi.preview(organizationId, { ruleId, match: parsed(match), days: PREVIEW_DAYS }),
  })
  const add = useMutation({
    mutationFn: () =>
      exceptionsApi.add(organizationId, {
        ruleId,
        match: parsed(match),
        reason: reason.trim(),
        expiresAt: days === null ? null : new Date(Date.now() + days * DAY_MS).toISOString(),
      }),
    onSuccess: (added) => {
      void client.invalidateQueries({ queryKey: exceptionsQuery(organizationId).queryKey })
      onAdded(added)
    },
  })
  const isAsProposed = ruleId === proposal.ruleId && match === JSON.stringify(proposal.match, null, 2)
  const hidden = isAsProposed ? proposal.hidden : preview.data
  const change = (apply: () => void) => {
    preview.reset()
    apply()
  }
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault()
        add.mutate()
      }}
    >
      <fieldset>
        <legend>Keep events out of</legend>
        {[
          { value: proposal.ruleId, text: `the rule ${proposal.ruleId}` },
          { value: null, text: 'every rule' },
        ].map(({ value, text }) => (
          <label key={text} className="choice">
            <input type="radio" name="rule" checked={ruleId === value} onChange={() => change(() => setRuleId(value))} />
            {text}
          </label>
        ))}
      </fieldset>
      <label>
        that match: a Sigma selection as JSON, all of it must hold
        <textarea
          required
          className="rule-text"
          rows={6}
          spellCheck={false}
          value={match}
          onChange={({ target }) => change(() => setMatch(target.value))}
        />
      </label>
      <label>
        until{' '}
        <select value={days ?? 'ended'} onChange={({ target: { value } }) => setDays(value === 'ended' ? null : Number(value))}>
          {ENDS.map((each) => (
            <option key={each} value={each}>
              {each} days from now
            </option>
          ))}
          <option value="ended">somebody ends it</option>
        </select>
      </label>
      <label>
        because
        <textarea required rows={3} maxLength={2_000} value={reason} onChange={({ target }) => setReason(target.value)} />
      </label>
      <section aria-label="What it would have hidden" aria-live="polite">
        <h2>What it would have hidden</h2>
        {hidden ? (
          <HiddenAlertList hidden={hidden} />
        ) : (
          <button type="button" disabled={preview.isPending} onClick={() => preview.mutate()}>
            Show what it would have hidden
          </button>
        )}
        {preview.error && <Failure error={preview.error} />}
      </section>
      {add.error && <Failure error={add.error} />}
      <div className="actions">
        <button type="submit" className="primary" disabled={add.isPending || !hidden || reason.trim() === ''}>
          Make the exception
        </button>
        {!hidden && <span className="quiet">Look first at what it would have hidden.</span>}
      </div>
    </form>
  )
}

/** @throws Error with a sentence */
function parsed(match: string): unknown {
  try {
    return JSON.parse(match)
  } catch (cause) {
    throw new Error('The selection is no JSON. Write it as {"field": "value"}.', { cause })
  }
}

function Added({ added: { exception, hidden, warnings } }: { readonly added: ExceptionAdded }) {
  return (
    <>
      <p className="notice" role="status">
        The exception is made, and you own it.{' '}
        <Link to="/exceptions" search={(now) => now}>
          All exceptions
        </Link>
      </p>
      {warnings.map((warning) => (
        <p key={warning} className="notice notice-error" role="alert">
          {warning}
        </p>
      ))}
      <p>
        <code>{JSON.stringify(exception.match)}</code>
      </p>
      <HiddenAlertList hidden={hidden} />
    </>
  )
}

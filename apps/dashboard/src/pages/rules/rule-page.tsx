import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import type { RuleWithText } from '@tocsin/contracts'
import { useState } from 'react'
import type { Tagged } from '../../api/request.ts'
import { ruleQuery } from '../../api/rule-queries.ts'
import { Failure } from '../../parts/failure.tsx'
import { PageHeading } from '../../parts/page-heading.tsx'
import { ReasonDialog } from '../../parts/reason-dialog.tsx'
import { keeperOf, offeredActs, ownerName } from '../../parts/rule-acts.ts'
import { Age } from '../../parts/time.tsx'
import { useSignedIn } from '../../session.tsx'
import { ExceptionTable } from '../exceptions/exception-table.tsx'
import { RuleBacktest } from './rule-backtest.tsx'
import { RuleEditor } from './rule-editor.tsx'
import { RuleState } from './rule-state.tsx'
import { RuleTrials } from './rule-trials.tsx'
import { RuleVersions } from './rule-versions.tsx'
import { useRuleChanges } from './use-rule-changes.ts'

export function RulePage() {
  const { ruleId } = useParams({ from: '/rules/$ruleId' })
  const { organization } = useSignedIn()
  const { data, error, isPending, refetch } = useQuery(ruleQuery(organization.organizationId, ruleId))
  return (
    <main className="page" id="content">
      <p>
        <Link to="/rules" search={(now) => now}>
          ← All rules
        </Link>
      </p>
      {isPending && <p className="quiet">Loading …</p>}
      {error && <Failure error={error} retry={() => void refetch()} />}
      {data && <Rule key={ruleId} rule={data} />}
    </main>
  )
}

function Rule({ rule: { body: rule, etag } }: { readonly rule: Tagged<RuleWithText> }) {
  const { organization, may } = useSignedIn()
  const { organizationId } = organization
  const { ruleId, text } = rule
  const mayWrite = may('rules:write')
  const isOurs = keeperOf(rule).kind === 'here'
  /** Null: nothing is being edited. */
  const [edited, setEdited] = useState<string | null>(null)
  const content = edited ?? text.content
  return (
    <article>
      <header className="alert-head">
        <p className="alert-badges">
          <RuleState rule={rule} />
          <span className="quiet">
            kept by {ownerName(rule)} · {rule.inForce === null ? 'never in force' : `version ${rule.inForce} in force`} · changed{' '}
            <Age at={rule.updatedAt} /> ago by {rule.author}
          </span>
        </p>
        <PageHeading title={rule.title} />
        <p className="quiet">{ruleId}</p>
        <ReadOnlyBecause rule={rule} mayWrite={mayWrite} />
        {mayWrite && <RuleActs rule={rule} etag={etag} />}
        <p>
          <Link to="/" search={({ org }) => ({ rule: ruleId, ...(org === undefined ? {} : { org }) })}>
            Its alerts
          </Link>
        </p>
      </header>
      <section>
        <h2>{rule.draft === null ? 'Text' : `Text of the draft, version ${rule.draft}`}</h2>
        {edited === null ? (
          <>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
            <pre className="rule-text" tabIndex={0}>
              {text.content}
            </pre>
            {mayWrite && isOurs && (
              <button type="button" onClick={() => setEdited(text.content)}>
                Edit
              </button>
            )}
            {mayWrite && (
              <Link to="/new-rule" search={(now) => ({ ...now, copy: ruleId })} className="aside">
                Copy it into a new rule
              </Link>
            )}
          </>
        ) : (
          <RuleEditor
            ruleId={ruleId}
            etag={etag}
            content={edited}
            onChange={setEdited}
            onSaved={() => setEdited(null)}
            onCancel={() => setEdited(null)}
          />
        )}
      </section>
      <section>
        <h2>Try it</h2>
        <RuleTrials organizationId={organizationId} text={{ content, ruleId }} />
      </section>
      {mayWrite && may('sensitive:read') && (
        <section>
          <h2>Backtest</h2>
          <RuleBacktest organizationId={organizationId} ruleId={ruleId} content={edited} />
        </section>
      )}
      <section>
        <h2>Versions</h2>
        <RuleVersions rule={rule} etag={etag} mayRevert={mayWrite && isOurs} />
      </section>
      {may('exceptions:write') && (
        <section>
          <h2>Exceptions</h2>
          <ExceptionTable ruleId={ruleId} />
        </section>
      )}
    </article>
  )
}

function ReadOnlyBecause({ rule, mayWrite }: { readonly rule: RuleWithText; readonly mayWrite: boolean }) {
  const keeper = keeperOf(rule)
  if (!mayWrite) return <p className="notice">Your role may read rules and not change them.</p>
  if (keeper.kind === 'folder')
    return (
      <p className="notice">
        This rule belongs to the folder {keeper.folder}: change it there, then run <code>tocsin rules apply</code>. Here it can be
        paused and resumed.
      </p>
    )
  if (keeper.kind === 'installation')
    return (
      <p className="notice">
        This rule belongs to the installation: it can be paused and resumed here. To change it, copy it into a new rule and pause
        this one.
      </p>
    )
  return null
}

const ACTS = {
  activate: { title: 'Activate', effect: 'The draft goes in force once its own tests have passed.' },
  pause: { title: 'Pause', effect: 'The rule stops, and its open alerts are closed.' },
  resume: { title: 'Resume', effect: 'The rule starts again, with empty windows.' },
  retire: { title: 'Retire', effect: 'The rule ends. A new draft can bring it back.' },
} as const

function RuleActs({ rule, etag }: { readonly rule: RuleWithText; readonly etag: string }) {
  const { organization } = useSignedIn()
  const [asking, setAsking] = useState<keyof typeof ACTS | null>(null)
  const change = useRuleChanges(organization.organizationId, rule.ruleId, etag)
  return (
    <div className="actions">
      {offeredActs(rule).map((act) => (
        <button
          key={act}
          type="button"
          className={act === 'activate' ? 'primary' : undefined}
          onClick={() => {
            change.reset()
            setAsking(act)
          }}
        >
          {ACTS[act].title}
        </button>
      ))}
      {asking && (
        <ReasonDialog
          {...ACTS[asking]}
          error={change.error}
          busy={change.isPending}
          onClose={() => setAsking(null)}
          onDone={(reason) => change.mutate({ act: asking, reason }, { onSuccess: () => setAsking(null) })}
        />
      )}
    </div>
  )
}

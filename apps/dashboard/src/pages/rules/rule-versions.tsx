import { useQuery } from '@tanstack/react-query'
import type { RuleVersion, RuleWithText } from '@tocsin/contracts'
import { useState } from 'react'
import { diffQuery, versionsQuery } from '../../api/rule-queries.ts'
import { Failure } from '../../parts/failure.tsx'
import { ReasonDialog } from '../../parts/reason-dialog.tsx'
import { diffLines } from '../../parts/rule-acts.ts'
import { Moment } from '../../parts/time.tsx'
import { useSignedIn } from '../../session.tsx'
import { useRuleChanges } from './use-rule-changes.ts'

/** Every version with who made it and why, newest first, and what changed between two. */
export function RuleVersions({
  rule,
  etag,
  mayRevert,
}: {
  readonly rule: RuleWithText
  readonly etag: string
  readonly mayRevert: boolean
}) {
  const { organization } = useSignedIn()
  const { organizationId } = organization
  const { ruleId } = rule
  const { data, error, isPending, refetch } = useQuery(versionsQuery(organizationId, ruleId, etag))
  const [compared, setCompared] = useState<{ readonly from: number; readonly to: number } | null>(null)
  const [reverting, setReverting] = useState<RuleVersion | null>(null)
  const change = useRuleChanges(organizationId, ruleId, etag)
  if (isPending) return <p className="quiet">Loading …</p>
  if (error) return <Failure error={error} retry={() => void refetch()} />
  const roleOf = (version: number) => (version === rule.inForce ? ' · in force' : version === rule.draft ? ' · draft' : '')
  return (
    <>
      <ol className="timeline">
        {data.items.map((item, at) => {
          const before = data.items[at + 1]
          return (
            <li key={item.version}>
              version {item.version}, {item.act} by {item.author}
              {roleOf(item.version)}
              <div className="note">{item.reason}</div>
              <div className="quiet">
                <Moment at={item.createdAt} />
              </div>
              {before !== undefined && (
                <button type="button" className="plain" onClick={() => setCompared({ from: before.version, to: item.version })}>
                  What changed
                </button>
              )}
              {mayRevert && item.version !== rule.text.version && (
                <button
                  type="button"
                  className="plain"
                  onClick={() => {
                    change.reset()
                    setReverting(item)
                  }}
                >
                  Make a draft of it
                </button>
              )}
            </li>
          )
        })}
      </ol>
      {compared && <Diff ruleId={ruleId} versions={data.items} from={compared.from} to={compared.to} onChoose={setCompared} />}
      {reverting && (
        <ReasonDialog
          title="Make a draft of it"
          effect={`The text of version ${reverting.version} becomes the draft. What is in force stays until it is activated.`}
          error={change.error}
          busy={change.isPending}
          onClose={() => setReverting(null)}
          onDone={(reason) =>
            change.mutate({ act: 'revert', version: reverting.version, reason }, { onSuccess: () => setReverting(null) })
          }
        />
      )}
    </>
  )
}

const SIDES = [
  { side: 'from', label: 'Changes from' },
  { side: 'to', label: 'to' },
] as const

function Diff({
  ruleId,
  versions,
  from,
  to,
  onChoose,
}: {
  readonly ruleId: string
  readonly versions: readonly RuleVersion[]
  readonly from: number
  readonly to: number
  readonly onChoose: (chosen: { readonly from: number; readonly to: number }) => void
}) {
  const { organization } = useSignedIn()
  const { data, error } = useQuery(diffQuery(organization.organizationId, ruleId, from, to))
  return (
    <section aria-label="Changes">
      <p className="actions">
        {SIDES.map(({ side, label }) => (
          <label key={side}>
            {label}{' '}
            <select
              value={side === 'from' ? from : to}
              onChange={({ target }) => onChoose({ from, to, [side]: Number(target.value) })}
            >
              {versions.map(({ version }) => (
                <option key={version} value={version}>
                  version {version}
                </option>
              ))}
            </select>
          </label>
        ))}
      </p>
      {error && <Failure error={error} />}
      {data?.diff === '' && <p className="quiet">The texts are equal.</p>}
      {data && data.diff !== '' && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <pre className="diff" tabIndex={0}>
          {diffLines(data.diff).map(({ at, kind, text }) => (
            <span key={at} className={`diff-${kind}`}>
              {text}
              {'\n'}
            </span>
          ))}
        </pre>
      )}
    </section>
  )
}

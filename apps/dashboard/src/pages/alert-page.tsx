import { Link, useNavigate, useParams } from '@tanstack/react-router'
import type { Alert } from '@tocsin/contracts'
import { type ReactNode, useEffect, useMemo, useRef } from 'react'
import { useLiveAlert } from '../live/use-live-alert.ts'
import { ActionButtons, useActions } from '../parts/actions.tsx'
import { type Action, mayAct, wentOn } from '../parts/acts.ts'
import { SeverityBadge, StatusBadge } from '../parts/badges.tsx'
import { Failure } from '../parts/failure.tsx'
import { useKeys } from '../parts/keyboard.tsx'
import { Age, Moment, span } from '../parts/time.tsx'
import { useSignedIn } from '../session.tsx'
import { EvidenceTable } from './evidence-table.tsx'
import { Notifications } from './notifications.tsx'
import { StatusHistory } from './status-history.tsx'

/** An alert of an organization other than the chosen one opens too: a link from a message names only the alert. */
export function AlertPage() {
  const { id } = useParams({ from: '/alerts/$id' })
  const { me, organization } = useSignedIn()
  const navigate = useNavigate()
  const organizationIds = useMemo(
    () => [
      organization.organizationId,
      ...me.organizations.map((each) => each.organizationId).filter((each) => each !== organization.organizationId),
    ],
    [me, organization],
  )
  const found = useLiveAlert(id, organizationIds)
  const membership = me.organizations.find((each) => each.organizationId === found.data?.organizationId)
  const allowed = membership !== undefined && mayAct(membership.role)
  const actions = useActions(allowed, me.subject)
  const alert = found.data?.alert
  const act = (action: Action) => () => {
    if (alert) actions.begin(alert, action)
  }
  const back = () => void navigate({ to: '/', search: (now) => now })
  useKeys({
    a: act('acknowledge'),
    r: act('resolve'),
    d: act('dismiss'),
    o: act('reopen'),
    m: act('assign'),
    c: act('comment'),
    l: act('label'),
    u: back,
  })
  const heading = useRef<HTMLHeadingElement>(null)
  const shown = alert?.id
  // A new page without a load: the focus goes to its beginning, so that a screen reader reads it.
  useEffect(() => {
    if (shown !== undefined) heading.current?.focus({ preventScroll: true })
  }, [shown])
  const title = alert?.title
  useEffect(() => {
    if (title !== undefined) document.title = `${title} · Tocsin`
    return () => {
      document.title = 'Tocsin'
    }
  }, [title])

  return (
    <main className="page" id="content">
      <p>
        <Link to="/" search={(now) => now} aria-keyshortcuts="u">
          ← All alerts
        </Link>
      </p>
      {actions.dialogs}
      {found.isPending && <p className="quiet">Loading …</p>}
      {found.error && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.data && alert && (
        <article>
          <header className="alert-head">
            <p className="alert-badges">
              <SeverityBadge severity={alert.severity} />
              <StatusBadge status={alert.status} />
              <span className="quiet">
                {alert.type.toLowerCase()} · raised <Age at={alert.createdAt} /> ago{alert.open ? ' · still going on' : ' · over'}
                {alert.backfilled ? ' · from late events only' : ''}
              </span>
            </p>
            <h1 ref={heading} tabIndex={-1}>
              {alert.title}
            </h1>
            <p>{alert.description}</p>
            {allowed ? (
              <ActionButtons alert={alert} actions={actions} />
            ) : (
              <p className="quiet">Your role may read this alert and not change it.</p>
            )}
            <WentOn alert={alert} />
            <MergedInto alert={alert} />
          </header>
          <Facts alert={alert} />
          <Section title="Evidence">
            <EvidenceTable evidence={alert.evidence} count={alert.count} />
          </Section>
          <div className="columns">
            <Section title="Who was told">
              <Notifications organizationId={found.data.organizationId} alertId={alert.id} />
            </Section>
            <Section title="History">
              <StatusHistory alert={alert} />
            </Section>
          </div>
        </article>
      )}
    </main>
  )
}

const Section = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => (
  <section>
    <h2>{title}</h2>
    {children}
  </section>
)

function WentOn({ alert }: { readonly alert: Alert }) {
  if (!wentOn(alert)) return null
  return (
    <p className="notice">
      It went on after it was ended: {alert.endedAtCount?.toLocaleString()} events then, {alert.count.toLocaleString()} now. At
      twice as many it is reopened.
    </p>
  )
}

function MergedInto({ alert }: { readonly alert: Alert }) {
  const survivor = alert.metadata['mergedInto']
  if (typeof survivor !== 'string') return null
  return (
    <p className="notice">
      This turned out to be one episode with an earlier alert:{' '}
      <Link to="/alerts/$id" params={{ id: survivor }} search={(now) => now}>
        open it
      </Link>
    </p>
  )
}

function Facts({ alert }: { readonly alert: Alert }) {
  const { window: seen, rule } = alert
  const facts: readonly (readonly [string, ReactNode])[] = [
    ['Group', <Pairs key="group" pairs={Object.entries(alert.group)} />],
    ['Events', alert.count.toLocaleString()],
    ['Peak', `${alert.peak.toLocaleString()} in ${span(seen.spanMs)}`],
    ['Condition', `${seen.value.toLocaleString()} in ${span(seen.spanMs)}, threshold ${seen.threshold.toLocaleString()}`],
    ['First seen', <Moment key="first" at={alert.firstSeen} />],
    ['Last seen', <Moment key="last" at={alert.lastSeen} />],
    [
      'First met in',
      <span key="window">
        <Moment at={seen.from} /> to <Moment at={seen.to} />
      </span>,
    ],
    [
      'Rule',
      <span key="rule" title={`${rule.id}, content ${rule.hash}`}>
        {rule.name}{' '}
        <span className="quiet">
          version {rule.version}
          {alert.pattern ? ` · ${alert.pattern}` : ''}
        </span>
      </span>,
    ],
    ['Raised by', alert.source],
    [
      'Tags',
      alert.tags.length > 0
        ? alert.tags.map((tag) => (
            <span key={tag} className="tag">
              {tag}
            </span>
          ))
        : null,
    ],
    ['Runbook', <Runbook key="runbook" address={alert.runbook} />],
    ['Assignee', alert.assignee],
    ['Labels', alert.labels.length > 0 ? alert.labels.join(', ') : null],
    [
      'Acknowledged until',
      alert.acknowledgementExpiresAt === null ? null : <Moment key="until" at={alert.acknowledgementExpiresAt} />,
    ],
    ['Correlation', alert.correlationId],
    ...Object.entries(alert.metadata)
      .filter(([name]) => name !== 'mergedInto' && name !== 'autoResolve' && !Object.hasOwn(alert.group, name))
      .map(([name, value]) => [inWords(name), figure(name, value)] as const),
  ]
  return (
    <dl className="facts">
      {facts
        .filter(([name, value]) => value !== null && value !== '' && !(name === 'Runbook' && alert.runbook === null))
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}

/** `attemptCount` → `Attempt count` */
const inWords = (name: string) => {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** What a rule adds in `metadata`, as text. */
function figure(name: string, value: unknown): string {
  if (typeof value === 'number') return name === 'timeWindow' ? span(value) : value.toLocaleString()
  if (Array.isArray(value)) return value.map(String).join(', ')
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([field, one]) => `${field} ${String(one)}`)
    .join(', ')
}

const Pairs = ({ pairs }: { readonly pairs: readonly (readonly [string, string])[] }) =>
  pairs.map(([field, value]) => (
    <span key={field} className="pair">
      <span className="quiet">{field}</span> {value}
    </span>
  ))

/** Only https is a link (security.md §6): anything else is text. */
function Runbook({ address }: { readonly address: string | null }) {
  if (address === null) return null
  if (!URL.canParse(address) || new URL(address).protocol !== 'https:') return address
  return (
    <a href={address} target="_blank" rel="noreferrer noopener">
      {address}
    </a>
  )
}

import { Link, useNavigate, useParams } from '@tanstack/react-router'
import type { Alert } from '@tocsin/contracts'
import { type ReactNode, useMemo } from 'react'
import { ofOrganization } from '../filter.ts'
import { useLiveAlert } from '../live/use-live-alert.ts'
import { ActionButtons, useActions } from '../parts/actions.tsx'
import { type Action, wentOn } from '../parts/acts.ts'
import { SeverityBadge, StatusBadge } from '../parts/badges.tsx'
import { Failure } from '../parts/failure.tsx'
import { useKeys } from '../parts/keyboard.tsx'
import { Shown } from '../parts/masked.tsx'
import { PageHeading } from '../parts/page-heading.tsx'
import { Age } from '../parts/time.tsx'
import { mayAs, useSignedIn } from '../session.tsx'
import { Facts } from './alert-facts.tsx'
import { EvidenceTable } from './evidence-table.tsx'
import { Notifications } from './notifications.tsx'
import { RelatedAlerts } from './related-alerts.tsx'
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
  const may = mayAs(membership?.role)
  const actions = useActions(may, me.subject)
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
            <PageHeading key={alert.id} title={alert.title} />
            <p>
              <Shown value={alert.description} />
            </p>
            {may('alerts:acknowledge') ? (
              <ActionButtons alert={alert} actions={actions} />
            ) : (
              <p className="quiet">Your role may read this alert and not change it.</p>
            )}
            <WentOn alert={alert} />
            <MergedInto alert={alert} />
          </header>
          <Facts alert={alert} slug={membership?.slug} />
          <Section title="Evidence">
            <EvidenceTable alert={alert} isMasked={!may('sensitive:read')} />
          </Section>
          <div className="columns">
            <Section title="Who was told">
              <Notifications organizationId={found.data.organizationId} alertId={alert.id} />
            </Section>
            <Section title="History">
              <StatusHistory alert={alert} />
            </Section>
          </div>
          {may('sensitive:read') && (
            <Section title="Other alerts of the same subject">
              <RelatedAlerts organizationId={found.data.organizationId} alertId={alert.id} />
            </Section>
          )}
          {may('exceptions:write') && (
            <p>
              Should events like these raise no alert?{' '}
              <Link to="/alerts/$id/exception" params={{ id: alert.id }} search={(now) => ofOrganization(now, membership?.slug)}>
                Make an exception
              </Link>
            </p>
          )}
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

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'
import { api } from '../api/client.ts'
import { meQuery, organizationQuery } from '../api/queries.ts'
import { ApiError } from '../api/request.ts'
import type { Search } from '../filter.ts'
import { LiveProvider, useConnectionState } from '../live/live.tsx'
import { Failure } from '../parts/failure.tsx'
import { KeyboardHelp, useKeys } from '../parts/keyboard.tsx'
import { mayAs, pickOrganization, rememberOrganization, type SignedIn, SignedInContext, useSignedIn } from '../session.tsx'
import { SignedOut } from './signed-out.tsx'

/** Everything that is on every page; decides whether somebody is signed in. */
export function Layout() {
  const { org } = useSearch({ from: '__root__' })
  const navigate = useNavigate()
  const me = useQuery(meQuery)
  const organization = me.data && pickOrganization(me.data.organizations, org)
  const session = useMemo<SignedIn | null>(
    () =>
      me.data && organization
        ? {
            me: me.data,
            organization,
            may: mayAs(organization.role),
            choose: (organizationId) => {
              const chosen = me.data.organizations.find((each) => each.organizationId === organizationId)
              if (!chosen) return
              rememberOrganization(chosen)
              void navigate({ to: '/', search: { org: chosen.slug } })
            },
          }
        : null,
    [me.data, organization, navigate],
  )
  if (me.isPending) return <p className="page quiet">Loading …</p>
  if (me.error instanceof ApiError && me.error.status === 401) return <SignedOut />
  if (me.error && !me.data)
    return (
      <main className="page">
        <Failure error={me.error} retry={() => void me.refetch()} />
      </main>
    )
  if (session === null) return <NoOrganization subject={me.data.subject} operator={me.data.operator} />
  return (
    <SignedInContext value={session}>
      <LiveProvider>
        <Frame />
      </LiveProvider>
    </SignedInContext>
  )
}

function Frame() {
  const [help, setHelp] = useState(false)
  useKeys({ '?': () => setHelp(true) })
  return (
    <>
      <a className="skip" href="#content">
        To the content
      </a>
      <Header onHelp={() => setHelp(true)} />
      <Banner />
      <Outlet />
      {help && <KeyboardHelp onClose={() => setHelp(false)} />}
    </>
  )
}

function Header({ onHelp }: { readonly onHelp: () => void }) {
  const { me, organization, choose } = useSignedIn()
  const client = useQueryClient()
  const signOut = async () => {
    await api.signOut()
    client.clear()
    location.assign('/')
  }
  return (
    <header className="top">
      <Link to="/" search={{}} className="brand">
        Tocsin
      </Link>
      {me.organizations.length > 1 ? (
        <select aria-label="Organization" value={organization.organizationId} onChange={(event) => choose(event.target.value)}>
          {me.organizations.map((each) => (
            <option key={each.organizationId} value={each.organizationId}>
              {each.name}
            </option>
          ))}
        </select>
      ) : (
        <span className="organization">{organization.name}</span>
      )}
      <Connection />
      <Pages />
      <span className="spacer" />
      <button type="button" className="plain keys-button" onClick={onHelp} aria-label="Keys" aria-keyshortcuts="?">
        Keys <kbd>?</kbd>
      </button>
      <span className="quiet subject" title={`Role: ${organization.role}`}>
        {me.subject}
      </span>
      <button type="button" className="plain" onClick={() => void signOut()}>
        Sign out
      </button>
    </header>
  )
}

function Pages() {
  const { may } = useSignedIn()
  const kept = ({ org }: Search): Search => (org === undefined ? {} : { org })
  return (
    <nav aria-label="Pages">
      <Link to="/" search={kept} activeOptions={{ exact: true, includeSearch: false }}>
        Alerts
      </Link>
      <Link to="/statistics" search={kept} activeOptions={{ includeSearch: false }}>
        Statistics
      </Link>
      <Link to="/rules" search={kept} activeOptions={{ includeSearch: false }}>
        Rules
      </Link>
      {may('exceptions:write') && (
        <Link to="/exceptions" search={kept} activeOptions={{ includeSearch: false }}>
          Exceptions
        </Link>
      )}
    </nav>
  )
}

const CONNECTION = {
  connecting: 'connecting',
  live: 'live',
  offline: 'offline, trying again',
  ended: 'signed out',
} as const

function Connection() {
  const state = useConnectionState()
  const client = useQueryClient()
  // A handshake that is refused looks like a network fault to a page: whether the session has ended is asked of the API.
  useEffect(() => {
    if (state === 'offline' || state === 'ended') void client.invalidateQueries({ queryKey: meQuery.queryKey })
  }, [client, state])
  return (
    <span className={`connection connection-${state}`} role="status">
      <span aria-hidden="true" className="connection-dot" />
      {CONNECTION[state]}
      {state === 'ended' && (
        <button type="button" className="plain" onClick={() => location.reload()}>
          Reload
        </button>
      )}
    </span>
  )
}

/** An organization that would tell nobody says so, wherever one looks. */
function Banner() {
  const { organization } = useSignedIn()
  const { data } = useQuery(organizationQuery(organization.organizationId))
  if (!data || data.health.status === 'OK') return null
  return (
    <div className={`banner banner-${data.health.status.toLowerCase()}`} role="status">
      {data.health.problems.map((problem) => (
        <p key={problem.code}>{problem.message}</p>
      ))}
    </div>
  )
}

const NoOrganization = ({ subject, operator }: { readonly subject: string; readonly operator: boolean }) => (
  <main className="page narrow">
    <h1>No organization yet</h1>
    <p>
      You are signed in as <strong>{subject}</strong>, who is a member of no organization
      {operator ? ' (an operator is outside of all of them)' : ''}.
    </p>
    <p>An operator makes one, and its first administrator, with:</p>
    <pre>npm run -s tocsin -- tenants create "My company" --email oncall@example.org</pre>
  </main>
)

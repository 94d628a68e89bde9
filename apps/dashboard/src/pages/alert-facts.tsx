import { Link } from '@tanstack/react-router'
import type { Alert } from '@tocsin/contracts'
import type { ReactNode } from 'react'
import { ofOrganization } from '../filter.ts'
import { Shown } from '../parts/masked.tsx'
import { Moment, span } from '../parts/time.tsx'

/** Everything that is known of an alert beside its text and its evidence. */
export function Facts({
  alert,
  slug,
}: {
  readonly alert: Alert
  /** Of the alert's organization, where its rule is shown. */
  readonly slug: string | undefined
}) {
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
        <Link to="/rules/$ruleId" params={{ ruleId: rule.id }} search={(now) => ofOrganization(now, slug)}>
          {rule.name}
        </Link>{' '}
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
    ['Correlation', alert.correlationId === null ? null : <Shown key="correlation" value={alert.correlationId} />],
    ['What it was', alert.resolutionNotes === null ? null : <Shown key="notes" value={alert.resolutionNotes} />],
    ['What was done', alert.resolutionAction === null ? null : <Shown key="done" value={alert.resolutionAction} />],
    ['Dismissed as', alert.dismissReason],
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
      <span className="quiet">{field}</span> <Shown value={value} />
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

import type { AlertCopy, NotificationEvent } from '../plan/vocabulary.ts'
import { mergedInto } from '../plan/vocabulary.ts'
import type { Telling } from './channel.ts'

/** Control characters, line ends and direction overrides: never part of one line of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g

/** One line of plain text: what a sender put into an event cannot start a new line, header or colour. */
export const oneLine = (text: string): string => text.replace(UNPRINTABLE, ' ').replace(/ {2,}/g, ' ').trim()

/** Cuts to `limit` characters as a provider counts them (UTF-16 units), never inside a surrogate pair. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text
  const end = text.slice(0, Math.max(0, limit - 1)).replace(/[\ud800-\udbff]$/, '')
  return `${end}…`
}

/** Subject of every mail about an alert; it stays the same, so that a thread stays one thread. */
export const subjectOf = (alert: AlertCopy): string => cut(oneLine(alert.title), 150)

export const headlineOf = ({ alert }: Telling): string => `${alert.severity}: ${oneLine(alert.title)}`

/** What happened, in one sentence. */
export function sentenceOf({ alert, event, send, actor }: Telling): string {
  const who = actor === null ? '' : ` by ${oneLine(actor)}`
  const into = mergedInto(alert)
  if (event === 'closed' && into !== null) return `Became part of alert ${into}.`
  if (!alert.open && send === 'first') return 'Raised and ended before you were told.'
  const sentences: Record<NotificationEvent, string> = {
    created: 'A new alert.',
    risen: `The severity rose to ${alert.severity}.`,
    live: 'What came in late goes on now.',
    reopened: 'The alert is open again.',
    revised: 'The figures have changed.',
    closed: 'It has ended: the condition is no longer true.',
    acknowledged: `Acknowledged${who}.`,
    unacknowledged: `No longer acknowledged${who}.`,
    resolved: `Resolved${who}.`,
    dismissed: `Dismissed${who}${alert.dismissReason === null ? '' : ` (${alert.dismissReason})`}.`,
    assigned: alert.assignee === null ? 'Assigned to nobody.' : `Assigned to ${oneLine(alert.assignee)}.`,
    commented: `Commented${who}.`,
  }
  return sentences[event]
}

/** Facts as label and value, in reading order; each value is one line. */
export function factsOf({ alert, organization }: Telling): readonly (readonly [string, string])[] {
  const group = Object.entries(alert.group).map(([field, value]) => `${oneLine(field)} = ${oneLine(value)}`)
  const facts: [string, string][] = [
    ['Severity', alert.severity],
    ['Status', statusOf(alert)],
    ['Organization', oneLine(organization)],
    ['Rule', `${oneLine(alert.rule.name)} (version ${alert.rule.version})`],
    ['About', group.join(', ') || 'the whole organization'],
    ['Events', String(alert.count)],
    ['First seen', timeOf(alert.firstSeen)],
    ['Last seen', timeOf(alert.lastSeen)],
    [
      'Window',
      `${timeOf(alert.window.from)} to ${timeOf(alert.window.to)}: ${alert.window.value}, threshold ${alert.window.threshold}`,
    ],
  ]
  if (alert.tags.length > 0) facts.push(['Tags', alert.tags.map(oneLine).join(', ')])
  return facts
}

/** A time as people read it, to the second; the alert's page has the rest. */
const timeOf = (time: string): string => `${time.slice(0, 19).replace('T', ' ')} UTC`

/** Link to the runbook, where it is one that may be followed (security.md §6: https only). */
export const runbookOf = (alert: AlertCopy): string | null =>
  alert.runbook !== null && /^https:\/\/[^\s"'<>|]+$/.test(alert.runbook) ? alert.runbook : null

export const LATE_NOTE = 'This message is late: it could not be delivered at its time.'
export const BACKFILLED_NOTE = 'Made of events that arrived late (backfilled).'

export function notesOf({ alert, late }: Telling): readonly string[] {
  return [...(late ? [LATE_NOTE] : []), ...(alert.backfilled ? [BACKFILLED_NOTE] : [])]
}

function statusOf(alert: AlertCopy): string {
  const episode = alert.open ? 'still going on' : 'ended'
  const who = alert.resolvedBy ?? alert.dismissedBy ?? alert.acknowledgedBy
  return `${alert.status}${alert.status === 'active' || who === null ? '' : ` by ${oneLine(who)}`}, ${episode}`
}

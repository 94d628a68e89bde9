/**
 * Puts a pseudonym in the place of a person in whatever may name one.
 *
 * 1. A person is found as a whole text, or inside one where it stands by itself: `ada` is found in `of (ada), 5 times` and in
 *    `user=ada`, not in `Canada` nor in `ada@example.org` or `corp/ada`, who are others.
 * 2. Who knows digests only (applier) asks for every text as a whole and for every piece that could stand by itself. A person whose
 *    name has spaces or other signs in it is found inside texts where it also stands somewhere as a whole, for instance in `group`.
 * 3. Times, places in the log, what acted how, colleagues, the rule: left alone.
 */
import type { AlertStatusChange, AlertWithEvidence, Evidence } from '@tocsin/contracts'

/** What stands in place of whom. */
export type Pseudonyms = ReadonlyMap<string, string>

/** Of 64 hex digits. Long enough to tell persons of one organization apart. */
const PSEUDONYM_DIGITS = 12
export const pseudonymOf = (digest: Buffer): string => `erased-${digest.toString('hex').slice(0, PSEUDONYM_DIGITS)}`

/** As a pattern with the flag `u`. */
const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')

/** Letters, digits, and what joins them to one name. */
const JOINS = '@._+:/\\\\-'
const PIECE = new RegExp(`[\\p{L}\\p{N}${JOINS}]+`, 'gu')
const OUTSIDE = new RegExp(`^[${JOINS}]+|[${JOINS}]+$`, 'g')
const STANDS = {
  before: `(?<![\\p{L}\\p{N}]|[\\p{L}\\p{N}][${JOINS}]+)`,
  after: `(?![${JOINS}]*[\\p{L}\\p{N}])`,
}

/** The text with pseudonyms in the places of the persons (1). */
export function pseudonymisedText(text: string, pseudonyms: Pseudonyms): string {
  let replaced = text
  for (const [person, pseudonym] of pseudonyms) {
    if (text === person) return pseudonym
    if (!replaced.includes(person)) continue
    const standing = new RegExp(`${STANDS.before}${literally(person)}${STANDS.after}`, 'gu')
    replaced = replaced.replace(standing, () => pseudonym)
  }
  return replaced
}

/** `value` with every text in it, names of properties included, through `change`. */
function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [change(name), mapTexts(each, change)]))
}

/** What may name a person (3). */
const FIELDS = [
  'title',
  'description',
  'metadata',
  'tags',
  'correlationId',
  'labels',
  'resolutionNotes',
  'resolutionAction',
  'resolutionMetadata',
] as const satisfies readonly (keyof AlertWithEvidence)[]
const EVIDENCE_FIELDS = ['id', 'subject', 'target', 'ip'] as const satisfies readonly (keyof Evidence)[]

/** The alert, or a part of it, with every text that may name a person through `change`. */
function mapAlert<A extends Partial<AlertWithEvidence>>(alert: A, change: (text: string) => string): A {
  const mapped: Record<string, unknown> = { ...alert }
  for (const field of FIELDS) if (alert[field] !== undefined) mapped[field] = mapTexts(alert[field], change)
  const { group, evidence, metadata } = alert
  // An alert, not a person: stored as an id.
  if (metadata?.['mergedInto'] !== undefined)
    mapped['metadata'] = { ...(mapped['metadata'] as object), mergedInto: metadata['mergedInto'] }
  // The names of a group's values are fields of the rule.
  if (group !== undefined) mapped['group'] = Object.fromEntries(Object.entries(group).map(([name, text]) => [name, change(text)]))
  if (evidence !== undefined) mapped['evidence'] = evidence.map((each) => mapEvidence(each, change))
  return mapped as A
}

function mapEvidence(evidence: Evidence, change: (text: string) => string): Evidence {
  const mapped = { ...evidence }
  for (const field of EVIDENCE_FIELDS) {
    const text = evidence[field]
    if (text !== undefined) mapped[field] = change(text)
  }
  return mapped
}

/** Of an alert or a part of it: with the pseudonyms in the places of the persons. */
export const pseudonymised = <A extends Partial<AlertWithEvidence>>(alert: A, pseudonyms: Pseudonyms): A =>
  mapAlert(alert, (text) => pseudonymisedText(text, pseudonyms))

/** As of an alert, and what the actor said. */
export const pseudonymisedChange = (change: AlertStatusChange, pseudonyms: Pseudonyms): AlertStatusChange => ({
  ...change,
  ...(change.comment === undefined ? {} : { comment: pseudonymisedText(change.comment, pseudonyms) }),
  changes: pseudonymised(change.changes, pseudonyms),
})

/** Whether the text names the person, as a whole or standing by itself. */
const names = (text: string, person: string): boolean => pseudonymisedText(text, new Map([[person, '']])) !== text

/** Whether any text in a JSON value names the person. */
export function namesWithin(value: unknown, person: string): boolean {
  let found = false
  mapTexts(value, (text) => {
    found ||= names(text, person)
    return text
  })
  return found
}

/** Every text that could be a person who is to be replaced in the alert, or in a part of it (2). */
export function candidatesOf(alert: Partial<AlertWithEvidence>, comment = ''): Set<string> {
  const candidates = new Set<string>()
  const add = (text: string) => {
    candidates.add(text)
    for (const [piece] of text.matchAll(PIECE)) candidates.add(piece.replace(OUTSIDE, ''))
    return text
  }
  mapAlert(alert, add)
  add(comment)
  candidates.delete('')
  return candidates
}

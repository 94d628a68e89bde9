/**
 * By which words an alert is found (`alerts.document`, a tsvector), and what a search asks of them.
 *
 * 1. Every word begins with eight digits of its organization's id: a search reads no list of words that another organization fills.
 * 2. A text is cut at spaces. Of `foo/ada@example.com` the words are itself and each end that begins after punctuation
 *    (`ada@example.com`, `example.com`, `com`); a search finds beginnings of words, so `ada` and `example.c` find it.
 * 3. Numbers by themselves in title and description are left out: mostly counts, which would make each revision another document.
 * 4. Subjects and tags are found exactly, by a digest after a sign that no word of a text begins with.
 * 5. What people type is never syntax: only letters, digits and what lies between them is asked for, each quoted.
 */
import { hash } from 'node:crypto'
import type { AlertFigures } from '@tocsin/contracts'

const ORGANIZATION_DIGITS = 8
const DIGEST_DIGITS = 16
const MOST_WORD_CHARS = 64
/** Of one piece between spaces, for instance of a long address. */
const MOST_ENDS = 12
/** Of an alert; a tsvector holds 1 MiB at most. */
const MOST_WORDS = 1_000
const MOST_TEXT_CHARS = 8_000
/** Of a search. */
const MOST_ASKED = 8
/** What stands between spaces, without punctuation around it. */
const PIECE = /[\p{L}\p{N}](?:\S*[\p{L}\p{N}])?/gu
const BETWEEN = /[^\p{L}\p{N}]+/gu
const NUMBER = /^\p{N}+$/u

/** The document of an alert, without people's labels. */
export function searchWords(
  figures: Pick<AlertFigures, 'organizationId' | 'title' | 'description' | 'rule' | 'source' | 'group' | 'tags'>,
): string[] {
  const { organizationId, title, description, rule, source, group, tags } = figures
  const subjects = Object.values(group)
  const words = new Set<string>()
  for (const subject of subjects) words.add(subjectWord(subject))
  for (const tag of tags) words.add(tagWord(tag))
  for (const text of [...subjects, rule.name, source, ...tags]) for (const piece of piecesOf(text)) addEnds(words, piece)
  for (const text of [title, description]) for (const piece of piecesOf(text)) if (!NUMBER.test(piece)) addEnds(words, piece) // (3)
  const prefix = prefixOf(organizationId)
  return [...words].slice(0, MOST_WORDS).map((word) => prefix + word)
}

/** What must be in a document; absent or null: nothing of the kind. */
export interface Wanted {
  readonly q: string | null
  readonly tag: string | null
  /** One of them is enough. */
  readonly subjects: readonly string[] | null
}

/** Texts of tsqueries, all of which must hold. Empty: nothing is asked for; 'noWord': `q` has no letter and no digit, so that nothing can be found by it. */
export function searchTerms(organizationId: string, { q, tag, subjects }: Wanted): readonly string[] | 'noWord' {
  const prefix = prefixOf(organizationId)
  const exactly = (word: string) => quoted(prefix + word)
  const terms: string[] = []
  if (q !== null) {
    const words = piecesOf(q)
    if (words.length === 0) return 'noWord'
    terms.push(...words.slice(0, MOST_ASKED).map((word) => `${quoted(prefix + cut(word))}:*`))
  }
  if (tag !== null) terms.push(`(${exactly(tagWord(tag))} | ${exactly(`+${digest(tag)}`)})`)
  if (subjects !== null) terms.push(`(${subjects.map((subject) => exactly(subjectWord(subject))).join(' | ')})`)
  return terms
}

/** The one word by which all alerts about a subject are found. */
export const subjectWordOf = (organizationId: string, subject: string): string => prefixOf(organizationId) + subjectWord(subject)

const prefixOf = (organizationId: string): string => organizationId.slice(0, ORGANIZATION_DIGITS).toLowerCase() // (1)
const subjectWord = (subject: string): string => `=${digest(subject)}` // (4)
const tagWord = (tag: string): string => `#${digest(tag)}`
const digest = (text: string): string => hash('sha256', text, 'hex').slice(0, DIGEST_DIGITS)
const cut = (word: string): string => (word.length > MOST_WORD_CHARS ? word.slice(0, MOST_WORD_CHARS).toWellFormed() : word)

/** In lower case. */
const piecesOf = (text: string): string[] =>
  text.slice(0, MOST_TEXT_CHARS).toWellFormed().normalize('NFKC').toLowerCase().match(PIECE) ?? []

function addEnds(words: Set<string>, piece: string): void {
  words.add(cut(piece))
  let ends = 1
  for (const { index, 0: punctuation } of piece.matchAll(BETWEEN)) {
    if (ends++ === MOST_ENDS) return
    words.add(cut(piece.slice(index + punctuation.length))) // (2)
  }
}

/** A word in the notation of tsquery: nothing in it is an operator. */
const quoted = (word: string): string => `'${word.replaceAll('\\', '\\\\').replaceAll("'", "''")}'` // (5)

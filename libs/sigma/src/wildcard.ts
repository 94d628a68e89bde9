/**
 * Texts with `*` (any run) and `?` (any one character); `\` escapes `*`, `?` and `\`, and stands for itself elsewhere.
 */

export type TextTest = (text: string) => boolean

type Part = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'run' } | { readonly kind: 'one' }

export interface Wildcard {
  readonly parts: readonly Part[]
}

export function parseWildcard(literal: string): Wildcard {
  const parts: Part[] = []
  let text = ''
  const endText = () => {
    if (text !== '') parts.push({ kind: 'text', text })
    text = ''
  }
  for (let i = 0; i < literal.length; i += 1) {
    const char = literal.charAt(i)
    const next = literal.charAt(i + 1)
    if (char === '\\' && (next === '*' || next === '?' || next === '\\')) {
      text += next
      i += 1
    } else if (char === '*' || char === '?') {
      endText()
      if (char === '?') parts.push({ kind: 'one' })
      else if (parts.at(-1)?.kind !== 'run') parts.push({ kind: 'run' })
    } else text += char
  }
  endText()
  return { parts }
}

/** The text itself where it has no wildcard. */
export function plainText({ parts }: Wildcard): string | undefined {
  const [first] = parts
  if (first === undefined) return ''
  return parts.length === 1 && first.kind === 'text' ? first.text : undefined
}

/** The longest text between wildcards; '' where there is none. */
export const longestText = ({ parts }: Wildcard): string =>
  parts.reduce((longest, part) => (part.kind === 'text' && part.text.length > longest.length ? part.text : longest), '')

/** Open ends: `contains` opens both, `startswith` the end, `endswith` the start. */
export function opened(wildcard: Wildcard, start: boolean, end: boolean): Wildcard {
  const parts = [...wildcard.parts]
  if (start && parts[0]?.kind !== 'run') parts.unshift({ kind: 'run' })
  if (end && parts.at(-1)?.kind !== 'run') parts.push({ kind: 'run' })
  return { parts }
}

/** Letters between two runs; each of them may be held against each letter of a text. */
export const MAX_SEGMENT = 500

/** Whether the work on a text is bounded by its length times MAX_SEGMENT; one literal alone is found faster. */
export function isBounded({ parts }: Wildcard): boolean {
  const count = (kind: Part['kind']) => parts.filter((part) => part.kind === kind).length
  if (count('run') === 0 || (count('one') === 0 && count('text') <= 1)) return true
  let length = 0
  return parts.every((part) => {
    length = part.kind === 'run' ? 0 : length + (part.kind === 'one' ? 1 : part.text.length)
    return length <= MAX_SEGMENT
  })
}

/** Tests a text that has already been lower-cased where `lowerCase` is set; the literal is lower-cased here, once. */
export function compileWildcard({ parts }: Wildcard, lowerCase: boolean): TextTest {
  const cased = lowerCase
    ? parts.map((part) => (part.kind === 'text' ? { ...part, text: part.text.toLowerCase() } : part))
    : parts
  const [a, b, c] = cased
  if (a === undefined) return (text) => text === ''
  if (cased.length === 1) {
    if (a.kind === 'run') return () => true
    if (a.kind === 'text') return (text) => text === a.text
  }
  if (cased.length === 2 && a.kind === 'text' && b?.kind === 'run') return (text) => text.startsWith(a.text)
  if (cased.length === 2 && a.kind === 'run' && b?.kind === 'text') return (text) => text.endsWith(b.text)
  if (cased.length === 3 && a.kind === 'run' && b?.kind === 'text' && c?.kind === 'run') return (text) => text.includes(b.text)
  return compileSegments(cased)
}

const ONE = Symbol('any one character')
type Segment = readonly (string | typeof ONE)[]

/** Each segment between runs is found at its first possible place: at most (length × segment) steps, whatever the text. */
function compileSegments(parts: readonly Part[]): TextTest {
  const segments: (string | typeof ONE)[][] = [[]]
  for (const part of parts) {
    if (part.kind === 'run') segments.push([])
    else if (part.kind === 'one') segments.at(-1)?.push(ONE)
    else segments.at(-1)?.push(...part.text)
  }
  const head = segments[0] ?? []
  const tail = segments.at(-1) ?? []
  const middle = segments.slice(1, -1).filter((segment) => segment.length > 0)
  return (text) => {
    const chars = Array.from(text)
    if (segments.length === 1) return chars.length === head.length && holdsAt(chars, 0, head)
    if (chars.length < head.length + tail.length || !holdsAt(chars, 0, head)) return false
    const end = chars.length - tail.length
    if (!holdsAt(chars, end, tail)) return false
    let from = head.length
    for (const segment of middle) {
      while (from + segment.length <= end && !holdsAt(chars, from, segment)) from += 1
      if (from + segment.length > end) return false
      from += segment.length
    }
    return true
  }
}

function holdsAt(chars: readonly string[], from: number, segment: Segment): boolean {
  for (let i = 0; i < segment.length; i += 1) if (segment[i] !== ONE && segment[i] !== chars[from + i]) return false
  return true
}

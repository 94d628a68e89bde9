/** What PostgreSQL cannot keep: U+0000 in any text, and half of a surrogate pair in jsonb. */
const SUSPECT_ESCAPE = /\\u(0000|d[89a-f])/i

/** JSON pointer of the first text (or key) in `value` that PostgreSQL would refuse; null when there is none. */
export function unstorable(value: unknown, pointer = ''): string | null {
  if (typeof value === 'string') return isStorable(value) ? null : pointer
  if (typeof value !== 'object' || value === null) return null
  for (const [key, inner] of Object.entries(value)) {
    const place = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (!isStorable(key)) return pointer
    const found = unstorable(inner, place)
    if (found !== null) return found
  }
  return null
}

const isStorable = (text: string) => !text.includes('\0') && text.isWellFormed()

/** Whether `json` could hold such a text at all: in valid JSON it can stand there only as an escape. */
export const maybeUnstorable = (json: string): boolean => SUSPECT_ESCAPE.test(json)

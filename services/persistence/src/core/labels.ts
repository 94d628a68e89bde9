import type { Refusal } from './transitions.ts'

export const MAX_LABELS = 50

/** One spelling for what people mean by the same: composed, lower case, single spaces. */
export const normalLabel = (text: string): string => text.normalize('NFC').toLowerCase().replaceAll(/\s+/g, ' ').trim()

/** The labels afterwards, sorted; a name in both lists is removed. */
export function withLabels(
  labels: readonly string[],
  { add, remove }: { readonly add: readonly string[]; readonly remove: readonly string[] },
): string[] | Refusal {
  const next = new Set([...labels, ...add.map(normalLabel)])
  for (const name of remove) next.delete(normalLabel(name))
  if (next.size > MAX_LABELS) return { refused: 'tooManyLabels' }
  if (next.size === labels.length && labels.every((name) => next.has(name))) return { refused: 'alreadyThere' }
  return [...next].sort()
}

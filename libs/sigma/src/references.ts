import type { SigmaDocument } from './document.ts'
import { type Position, SigmaError } from './sigma-error.ts'

/** Correlations of correlations (detection.md §6). */
const MAX_CHAIN = 10

/**
 * Checks the references among the documents of one file: no id or name twice, no cycle, no chain too long.
 * Rules of other files are not known here and are left to the reader of all of them.
 * @throws SigmaError
 */
export function checkReferences(documents: readonly SigmaDocument[], file: string): void {
  const byReference = new Map<string, SigmaDocument>()
  const refuse = (position: Position, message: string): never => {
    throw new SigmaError(message, { file, ...position })
  }
  for (const document of documents) {
    for (const key of ['id', 'name'] as const) {
      const reference = document[key]
      if (reference === undefined || reference === '') continue
      const other = byReference.get(reference)
      if (other !== undefined && other !== document)
        refuse(document.positionOf([key]), `Two documents are called "${reference}".`)
      byReference.set(reference, document)
    }
  }
  const chains = new Map<SigmaDocument, number>()
  const chainOf = (document: SigmaDocument, path: readonly SigmaDocument[]): number => {
    const known = chains.get(document)
    if (known !== undefined) return known
    if (document.kind === 'detection') return 0
    const at = document.positionOf(['correlation', 'rules'])
    if (path.includes(document)) refuse(at, `The correlations refer to each other in a circle, through "${document.title}".`)
    let longest = 0
    for (const rule of document.correlation.rules) {
      const target = byReference.get(rule)
      if (target !== undefined) longest = Math.max(longest, chainOf(target, [...path, document]))
    }
    if (longest + 1 > MAX_CHAIN) refuse(at, `Correlations refer to each other in a chain longer than ${MAX_CHAIN}.`)
    chains.set(document, longest + 1)
    return longest + 1
  }
  for (const document of documents) chainOf(document, [])
}

import type { SigmaDocument } from './document.ts'
import { SigmaError } from './sigma-error.ts'

/** Correlations of correlations (detection.md §6). */
const MAX_CHAIN = 10

/**
 * Faults of the references among documents, of one file or of several: an id or name given twice, a circle, a chain that is
 * too long. What refers to none of them is left to the reader of all files.
 */
export function referenceFaults(documents: readonly SigmaDocument[]): SigmaError[] {
  const faults: SigmaError[] = []
  const fault = (document: SigmaDocument, path: readonly string[], message: string) =>
    faults.push(new SigmaError(message, { file: document.file, ...document.positionOf(path) }))
  const byReference = new Map<string, SigmaDocument>()
  for (const document of documents) {
    for (const key of ['id', 'name'] as const) {
      const reference = document[key]
      if (reference === undefined || reference === '') continue
      const other = byReference.get(reference)
      if (other !== undefined && other !== document) {
        const { line } = other.positionOf(['title'], 'key')
        fault(document, [key], `Two documents are called "${reference}": the other one is in ${other.file}, line ${line}.`)
      } else byReference.set(reference, document)
    }
  }
  const chains = new Map<SigmaDocument, number>()
  const chainOf = (document: SigmaDocument, path: readonly SigmaDocument[]): number => {
    const known = chains.get(document)
    if (known !== undefined) return known
    if (document.kind === 'detection') return 0
    if (path.includes(document)) {
      fault(document, ['correlation', 'rules'], `The correlations refer to each other in a circle, through "${document.title}".`)
      return 0
    }
    let longest = 0
    for (const rule of document.correlation.rules) {
      const target = byReference.get(rule)
      if (target !== undefined) longest = Math.max(longest, chainOf(target, [...path, document]))
    }
    if (longest + 1 > MAX_CHAIN && path.length === 0)
      fault(document, ['correlation', 'rules'], `Correlations refer to each other in a chain longer than ${MAX_CHAIN}.`)
    chains.set(document, longest + 1)
    return longest + 1
  }
  for (const document of documents) chainOf(document, [])
  return faults
}

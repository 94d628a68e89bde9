import type { SigmaDocument } from './document.ts'
import { SigmaError } from './sigma-error.ts'

/** Correlations of correlations (detection.md §6). */
const MAX_CHAIN = 10

/** What the documents of some files mean by the ids and names of others: one of their own file first. */
export class References {
  readonly #documents: readonly SigmaDocument[]
  readonly #called = new Map<string, SigmaDocument[]>()

  constructor(documents: readonly SigmaDocument[]) {
    this.#documents = documents
    for (const document of documents) {
      for (const name of namesOf(document)) {
        const others = this.#called.get(name)
        if (others === undefined) this.#called.set(name, [document])
        else others.push(document)
      }
    }
  }

  /** Undefined where there is none, and where it could be one of several. */
  find(from: SigmaDocument, name: string): SigmaDocument | undefined {
    const called = this.#called.get(name) ?? []
    const own = called.find(({ file }) => file === from.file)
    return own ?? (called.length === 1 ? called[0] : undefined)
  }

  /**
   * An id given twice, a name given twice in one file, a name that could mean several, a circle, a chain that is too long.
   * What refers to nothing is left to the reader of all files.
   */
  faults(): SigmaError[] {
    return [...this.#givenTwice(), ...this.#ambiguous(), ...this.#circles()]
  }

  *#givenTwice(): Generator<SigmaError> {
    for (const document of this.#documents) {
      for (const key of ['id', 'name'] as const) {
        const name = document[key] ?? ''
        const [first] = (this.#called.get(name) ?? []).filter(({ id, file }) => id === name || file === document.file)
        if (first === undefined || first === document || (document.id !== name && first.file !== document.file)) continue
        const { line } = first.positionOf(['title'], 'key')
        yield faultAt(document, [key], `Two documents are called "${name}": the other one is in ${first.file}, line ${line}.`)
      }
    }
  }

  *#ambiguous(): Generator<SigmaError> {
    for (const document of this.#documents) {
      if (document.kind === 'detection') continue
      for (const name of document.correlation.rules) {
        const files = (this.#called.get(name) ?? []).map(({ file }) => file)
        if (files.length < 2 || this.find(document, name) !== undefined) continue
        yield faultAt(document, ['correlation', 'rules'], `"${name}" could be a rule of ${files.join(' or ')}.`)
      }
    }
  }

  #circles(): SigmaError[] {
    const faults: SigmaError[] = []
    const chains = new Map<SigmaDocument, number>()
    const inChain = new Set<SigmaDocument>()
    const chainOf = (document: SigmaDocument): number => {
      const known = chains.get(document)
      if (known !== undefined) return known
      if (document.kind === 'detection') return 0
      if (inChain.has(document)) {
        const message = `The correlations refer to each other in a circle, through "${document.title}".`
        faults.push(faultAt(document, ['correlation', 'rules'], message))
        return 0
      }
      // Whatever is longer is too long already, and the depth of this recursion stays bounded.
      if (inChain.size > MAX_CHAIN) return 0
      inChain.add(document)
      let longest = 0
      for (const rule of document.correlation.rules) {
        const target = this.find(document, rule)
        if (target !== undefined) longest = Math.max(longest, chainOf(target))
      }
      inChain.delete(document)
      if (longest + 1 > MAX_CHAIN && inChain.size === 0) {
        const message = `Correlations refer to each other in a chain longer than ${MAX_CHAIN}.`
        faults.push(faultAt(document, ['correlation', 'rules'], message))
      }
      if (inChain.size === 0 || longest < MAX_CHAIN) chains.set(document, longest + 1)
      return longest + 1
    }
    for (const document of this.#documents) chainOf(document)
    return faults
  }
}

const namesOf = ({ id, name }: SigmaDocument): string[] => [...new Set([id, name ?? ''].filter((each) => each !== ''))]

const faultAt = (document: SigmaDocument, path: readonly string[], message: string): SigmaError =>
  new SigmaError(message, { file: document.file, ...document.positionOf(path) })

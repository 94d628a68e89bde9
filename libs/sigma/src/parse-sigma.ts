import { parseCorrelation } from './correlation.ts'
import { parseDetection } from './detection.ts'
import type { SigmaDocument } from './document.ts'
import { References } from './references.ts'
import type { SigmaError } from './sigma-error.ts'
import { entryOf, type YamlDocument, YamlSource } from './yaml-source.ts'

export interface SigmaOptions {
  /** Name shown in errors. */
  readonly file?: string
}

/** What a text holds: the documents without a fault, and every fault of the others, in order of their place. */
export interface SigmaReading {
  readonly file: string
  readonly text: string
  readonly documents: readonly SigmaDocument[]
  readonly faults: readonly SigmaError[]
}

/** Parses and compiles every document of a YAML text; what they refer to is not looked at. */
export function readSigma(text: string, { file = 'rule' }: SigmaOptions = {}): SigmaReading {
  const source = new YamlSource(file)
  const found = source.documents(text)
  const documents = found.flatMap((document) => source.attempt(() => parseDocument(source, document)) ?? [])
  if (found.length === 0 && source.faults.length === 0) source.attempt(() => source.refuse(0, 'The text contains no document.'))
  return { file, text, documents, faults: source.faults.sort((a, b) => a.line - b.line || a.column - b.column) }
}

/**
 * Parses and compiles every document of a YAML text, or refuses the whole of it by its first fault.
 * @throws SigmaError
 */
export function parseSigma(text: string, options: SigmaOptions = {}): SigmaDocument[] {
  const { documents, faults } = readSigma(text, options)
  const [first = new References(documents).faults()[0]] = faults
  if (first !== undefined) throw first
  return [...documents]
}

function parseDocument(source: YamlSource, document: YamlDocument): SigmaDocument | undefined {
  const { root } = document
  if (root.kind !== 'map') source.refuse(root.offset, 'A Sigma document must be a map.')
  const detection = entryOf(root, 'detection')
  const correlation = entryOf(root, 'correlation')
  const filter = entryOf(root, 'filter')
  const action = entryOf(root, 'action')
  if (action !== undefined)
    source.refuse(
      action.keyOffset,
      '"action" belongs to rule collections of Sigma 1, which are not supported: write whole documents.',
    )
  if (filter !== undefined) source.refuse(filter.keyOffset, 'Filter documents are not supported yet.')
  if (correlation !== undefined && detection !== undefined)
    source.refuse(correlation.keyOffset, 'A document is a detection or a correlation, not both.')
  if (correlation !== undefined) return parseCorrelation(source, document, root, correlation)
  if (detection !== undefined) return parseDetection(source, document, root, detection)
  return source.refuse(root.offset, 'The document has neither "detection" nor "correlation".')
}

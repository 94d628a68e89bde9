import { parseCorrelation } from './correlation.ts'
import { parseDetection } from './detection.ts'
import type { SigmaDocument } from './document.ts'
import { checkReferences } from './references.ts'
import { entryOf, type YamlNode, YamlSource } from './yaml-source.ts'

export interface SigmaOptions {
  /** Name shown in errors. */
  readonly file?: string
}

/**
 * Parses and compiles every document of a YAML text, or refuses the whole of it by its first fault.
 * @throws SigmaError
 */
export function parseSigma(text: string, { file = 'rule' }: SigmaOptions = {}): SigmaDocument[] {
  const source = new YamlSource(file)
  const documents = source.documents(text).map((root) => parseDocument(source, root))
  if (documents.length === 0) source.refuse(0, 'The text contains no document.')
  checkReferences(documents, file)
  return documents
}

function parseDocument(source: YamlSource, root: YamlNode): SigmaDocument {
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
  if (correlation !== undefined) return parseCorrelation(source, root, correlation)
  if (detection !== undefined) return parseDetection(source, root, detection)
  return source.refuse(root.offset, 'The document has neither "detection" nor "correlation".')
}

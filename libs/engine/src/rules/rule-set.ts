import { createHash } from 'node:crypto'
import { References, type SigmaDocument, SigmaError, type SigmaReading } from '@tocsin/sigma'
import { type CompiledRule, type CompileOptions, compileRule } from './rule.ts'

/** What the rule files of a folder come to. */
export interface RuleSet {
  /** Every document by its rule id, also those that only a correlation refers to. */
  readonly documents: ReadonlyMap<string, SigmaDocument>
  /** What alerts: every correlation, and every detection that none refers to. Ordered as their files. */
  readonly rules: readonly CompiledRule[]
  /** Every fault, with its place in the file it is in. */
  readonly faults: readonly SigmaError[]
}

/** Documents by the ids of their rules, each id once. */
export interface NamedDocuments {
  readonly documents: ReadonlyMap<string, SigmaDocument>
  readonly references: References
  readonly faults: readonly SigmaError[]
}

/**
 * A rule is called `id` of `x-tocsin`, else its document's id, else the file; other documents of the file without an id have their number
 * behind its name.
 */
export function nameDocuments(files: readonly SigmaReading[]): NamedDocuments {
  const references = new References(files.flatMap((file) => file.documents))
  const faults = [...files.flatMap((file) => file.faults), ...references.faults()]
  const documents = new Map<string, SigmaDocument>()
  for (const [document, ruleId] of files.flatMap((file) => [...idsOf(file)])) {
    if (!documents.has(ruleId)) documents.set(ruleId, document)
    else if (ruleId !== document.id) faults.push(faultAt(document, `Another rule is called "${ruleId}": give this one an id.`))
  }
  return { documents, references, faults }
}

/**
 * Makes rules of rule files: a correlation and the detections it needs, by id or name from any of the files, become one rule.
 * A fault of one rule leaves the others alone.
 */
export function assembleRules(files: readonly SigmaReading[], options: CompileOptions = {}): RuleSet {
  const { documents, references, faults } = nameDocuments(files)
  const all = files.flatMap((file) => file.documents)
  const referred = new Set(all.flatMap((document) => namesIn(document).map((name) => references.find(document, name))))
  const rules: CompiledRule[] = []
  const allFaults = [...faults]
  for (const [ruleId, document] of documents) {
    if (document.kind === 'detection' && referred.has(document)) continue
    const segments = segmentsOf(document, files, references)
    try {
      rules.push(compile(ruleId, segments, options))
    } catch (error) {
      if (!(error instanceof SigmaError)) throw error
      // What is wrong with the references of a document has been said.
      const fault = placed(error, segments)
      if (!allFaults.some(({ file, line }) => file === fault.file && line === fault.line)) allFaults.push(fault)
    }
  }
  return { rules, documents, faults: allFaults }
}

interface Segment {
  readonly file: string
  /** Line of the file on which it begins. */
  readonly line: number
  readonly text: string
}

function compile(ruleId: string, segments: readonly Segment[], options: CompileOptions): CompiledRule {
  const content = segments.map(({ text }) => text).join('')
  const hash = createHash('sha256').update(content).digest('hex')
  return compileRule({ ruleId, organizationId: null, version: 1, hash, state: 'active', content }, options)
}

/** A rule that needs all of its file has the file's text, and so its hash; else the documents it needs, detections first. */
function segmentsOf(document: SigmaDocument, files: readonly SigmaReading[], references: References): Segment[] {
  const needed = new Set<SigmaDocument>()
  const need = (each: SigmaDocument): void => {
    if (needed.has(each)) return
    needed.add(each)
    for (const name of namesIn(each)) {
      const other = references.find(each, name)
      if (other !== undefined) need(other)
    }
  }
  need(document)
  const whole = files.find(
    ({ documents, faults }) =>
      faults.length === 0 && documents.length === needed.size && documents.every((each) => needed.has(each)),
  )
  if (whole !== undefined) return [{ file: whole.file, line: 1, text: whole.text }]
  return [...needed].reverse().map(({ file, line, text }) => {
    const begun = text.startsWith('---') ? { file, line, text } : { file, line: line - 1, text: `---\n${text}` }
    return begun.text.endsWith('\n') ? begun : { ...begun, text: `${begun.text}\n` }
  })
}

/** Where the fault of a rule's content stands in the files it was made of. */
function placed(fault: SigmaError, segments: readonly Segment[]): SigmaError {
  let before = 0
  for (const { file, line, text } of segments) {
    const lines = text.split('\n').length - 1
    if (fault.line <= before + lines || segments.length === 1)
      return new SigmaError(fault.message, { file, line: line + fault.line - before - 1, column: fault.column })
    before += lines
  }
  return fault
}

const faultAt = ({ file, positionOf }: SigmaDocument, message: string): SigmaError =>
  new SigmaError(message, { file, ...positionOf(['title']) })

/** Of the documents without an id the file's name goes to its first correlation, else to its first; others have their number behind it. */
function idsOf({ file, documents }: SigmaReading): Map<SigmaDocument, string> {
  const name = file.slice(file.lastIndexOf('/') + 1).replace(/\.ya?ml$/i, '')
  const without = documents.filter((document) => ownId(document) === '')
  const main = without.find(({ kind }) => kind === 'correlation') ?? without[0]
  return new Map(
    documents.map((document, n) => [document, ownId(document) || (document === main ? name : `${name}#${n + 1}`)] as const),
  )
}

function ownId({ id, extension }: SigmaDocument): string {
  const own = isMap(extension) ? extension['id'] : undefined
  return typeof own === 'string' && own !== '' ? own : id
}

/** What a document refers to: the rules of a correlation, and the selections named under `x-tocsin`. */
function namesIn(document: SigmaDocument): string[] {
  const { extension } = document
  const names: unknown[] = document.kind === 'correlation' ? [...document.correlation.rules] : []
  if (isMap(extension)) {
    if (isMap(extension['escalate'])) names.push(extension['escalate']['selection'])
    if (Array.isArray(extension['severity'])) for (const step of extension['severity']) if (isMap(step)) names.push(step['any'])
  }
  return names.filter((name) => typeof name === 'string')
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

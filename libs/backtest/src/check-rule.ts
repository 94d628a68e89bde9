import { createHash } from 'node:crypto'
import { type CompiledRule, compileRule, runRuleTests, sourceOf } from '@tocsin/engine'
import { FORMAT_NAMES } from '@tocsin/formats'
import { readSigma, type SigmaDocument, SigmaError } from '@tocsin/sigma'

/** Something in the text of a rule; line and column count from 1. */
export interface RuleFault {
  readonly message: string
  readonly line: number
  readonly column: number
}

const UNNAMED = 'rule'

/** What is known of a text that wants to be a rule. */
export interface CheckedRule {
  readonly ruleId: string
  /** Null where it cannot run. */
  readonly title: string | null
  /** SHA-256 of the text, hex. */
  readonly hash: string
  /** Everything that keeps it from running. */
  readonly faults: readonly RuleFault[]
  /** What is strange about it, and keeps it from nothing. */
  readonly notes: readonly RuleFault[]
  /** Its own tests, where they were asked for; a sentence for each difference. */
  readonly tests: readonly { readonly name: string; readonly faults: readonly string[] }[]
}

export interface RuleText {
  /** Null: what the text says itself. */
  readonly ruleId: string | null
  readonly content: string
}

/** Compiles a text as the rule of that id, or says what keeps it from being one. */
export function readRule({
  ruleId: wanted,
  content,
}: RuleText): { readonly rule: CompiledRule | null } & Omit<CheckedRule, 'tests'> {
  const hash = createHash('sha256').update(content).digest('hex')
  const { documents, faults } = readSigma(content, { file: wanted ?? UNNAMED })
  const named = idsIn(documents)
  const ruleId = wanted ?? named[0]?.id ?? UNNAMED
  const found = [...faults, ...(named.some(({ id }) => id === ruleId) ? [] : named.map((each) => otherId(ruleId, each)))]
  let rule: CompiledRule | null = null
  if (found.length === 0) {
    try {
      rule = compileRule({ ruleId, organizationId: null, version: 1, hash, state: 'active', content })
    } catch (error) {
      if (!(error instanceof SigmaError)) throw error
      found.push(error)
    }
  }
  return { ruleId, hash, rule, title: rule?.title ?? null, faults: found.map(faultOf), notes: idleNotes(documents).map(faultOf) }
}

/** `withTests`: its own tests are run, too. */
export function checkRule(text: RuleText, withTests: boolean): CheckedRule {
  const { rule, ...read } = readRule(text)
  const results = rule === null || !withTests ? [] : runRuleTests(rule)
  return { ...read, tests: results.map(({ name, faults }) => ({ name, faults })) }
}

/** Detections whose events no source gives. */
export function idleNotes(documents: Iterable<SigmaDocument>): SigmaError[] {
  return [...documents].flatMap((document) => {
    if (document.kind !== 'detection') return []
    const source = sourceOf(document.logsource)
    if (source !== null && (source.format === null || FORMAT_NAMES.includes(source.format))) return []
    const named = Object.values(document.logsource).join('/')
    const place = { file: document.file, ...document.positionOf(['logsource'], 'key') }
    return [new SigmaError(`no source gives events of ${named}, so the rule is idle.`, place)]
  })
}

interface NamedDocument {
  readonly id: string
  readonly document: SigmaDocument
}

/** What the documents call the rule, under `x-tocsin.id`. */
const idsIn = (documents: readonly SigmaDocument[]): NamedDocument[] =>
  documents.flatMap((document) => {
    const id = (document.extension as { readonly id?: unknown } | null | undefined)?.id
    return typeof id === 'string' && id !== '' ? [{ id, document }] : []
  })

const otherId = (ruleId: string, { id, document: { file, positionOf } }: NamedDocument): SigmaError =>
  new SigmaError(`The text calls the rule "${id}", and it is to be "${ruleId}".`, {
    file,
    ...positionOf(['x-tocsin', 'id']),
  })

const faultOf = ({ message, line, column }: SigmaError): RuleFault => ({ message, line, column })

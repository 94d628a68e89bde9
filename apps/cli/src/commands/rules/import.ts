/** `tocsin rules import`: what of a folder of Sigma rules can run here; what can is saved as drafts. */
import { idleNotes } from '@tocsin/backtest'
import type { CompiledRule } from '@tocsin/engine'
import { describe } from '../../api.ts'
import { plain } from '../../output.ts'
import { faultLines, readRules } from '../../rules/rule-files.ts'
import { findRule, type RulesAccess, saveDraft } from './rules-api.ts'

export interface ImportOptions {
  readonly path: string
  readonly reason?: string | undefined
  /** Where the drafts go; null: they are not saved. */
  readonly to: RulesAccess | null
  readonly output: RulesAccess['output']
}

/** Returns the exit code: 1 where a draft could not be saved. Rules that cannot run are told, and the others go on. */
export async function importRules({ path, reason = `tocsin rules import ${path}`, to, output }: ImportOptions): Promise<number> {
  const { rules, faults } = readRules([path])
  for (const line of faultLines(faults)) output.result(plain(`unsupported  ${line}`))
  const counts = { ok: 0, idle: 0, saved: 0, unchanged: 0, failed: 0 }
  for (const rule of rules) {
    const { ruleId, content, hash } = rule.record
    const [idle] = idleReasons(rule)
    if (idle !== undefined) {
      counts.idle++
      output.result(plain(`idle         ${ruleId}  ${rule.title}: ${idle}`))
      continue
    }
    counts.ok++
    if (to === null) {
      output.result(plain(`ok           ${ruleId}  ${rule.title}`))
      continue
    }
    const known = await findRule(to, ruleId)
    const answer = known?.text.hash === hash ? null : await saveDraft(to, ruleId, content, reason)
    const outcome = answer === null ? 'unchanged' : answer.status === 200 ? 'saved' : 'failed'
    counts[outcome]++
    output.result(plain(`${outcome.padEnd(11)}  ${ruleId}  ${outcome === 'failed' && answer ? describe(answer) : rule.title}`))
  }
  const told = `${counts.ok} ok, ${faults.length} unsupported, ${counts.idle} idle`
  const then = `${counts.saved} saved as drafts, ${counts.unchanged} unchanged, ${counts.failed} failed`
  output.note(to === null ? `${told}. Nothing is saved yet: run it again with --yes.` : `${told}; ${then}`)
  return counts.failed === 0 ? 0 : 1
}

/** Why none of the rule's events can ever come. */
function idleReasons({ detections }: CompiledRule): string[] {
  const notes = idleNotes(detections).map(({ message }) => message)
  return notes.length === detections.length ? notes : []
}

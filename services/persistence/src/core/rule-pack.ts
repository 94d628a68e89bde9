import type { RuleRecord } from '@tocsin/contracts'

/** A file of the built-in pack. */
export interface PackFile {
  /** `tocsin.` and the file's name without its ending. */
  readonly ruleId: string
  readonly title: string
  readonly content: string
  /** SHA-256 of content, hex. */
  readonly hash: string
}

/** The rules that must be published: new or changed content, files that came back, and files that are gone (retired). */
export function packChanges(stored: readonly RuleRecord[], files: readonly PackFile[]): RuleRecord[] {
  const known = new Map(stored.map((rule) => [rule.ruleId, rule]))
  const present = new Set(files.map((file) => file.ruleId))
  const changed = files.flatMap((file): RuleRecord[] => {
    const rule = known.get(file.ruleId)
    if (rule?.hash === file.hash && rule.state !== 'retired') return []
    // A rule that an operator paused stays paused, also with new content.
    const state = rule?.state === 'paused' ? 'paused' : 'active'
    const { ruleId, content, hash } = file
    return [{ ruleId, content, hash, organizationId: null, version: (rule?.version ?? 0) + 1, state }]
  })
  const retired = stored
    .filter((rule) => rule.state !== 'retired' && !present.has(rule.ruleId))
    .map((rule): RuleRecord => ({ ...rule, version: rule.version + 1, state: 'retired' }))
  return [...changed, ...retired]
}

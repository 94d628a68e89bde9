/** `tocsin rules lint`: everything that keeps a rule from running, with its place. */
import { idleNotes } from '@tocsin/backtest'
import { type Output, plain } from '../../output.ts'
import { faultLines, readRules } from '../../rules/rule-files.ts'

/** Returns the exit code: 1 where a rule has a fault. */
export function lintRules(paths: readonly string[], output: Output): number {
  const { files, rules, documents, faults } = readRules(paths)
  for (const line of faultLines(faults)) output.result(plain(line))
  for (const { file, line, column, message } of idleNotes(documents.values()))
    output.note(plain(`${file}:${line}:${column}: note: ${message}`))
  output.note(`${files} files, ${rules.length} rules, ${faults.length} faults`)
  return faults.length === 0 ? 0 : 1
}

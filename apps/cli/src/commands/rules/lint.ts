/** `tocsin rules lint`: everything that keeps a rule from running, with its place. */
import { sourceOf } from '@tocsin/engine'
import { FORMAT_NAMES } from '@tocsin/formats'
import type { LogSource } from '@tocsin/sigma'
import { type Output, plain } from '../../output.ts'
import { faultLines, readRules } from '../../rules/rule-files.ts'

/** Returns the exit code: 1 where a rule has a fault. */
export function lintRules(paths: readonly string[], output: Output): number {
  const { files, rules, documents, faults } = readRules(paths)
  for (const line of faultLines(faults)) output.result(plain(line))
  for (const document of documents.values()) {
    if (document.kind !== 'detection' || isProvided(document.logsource)) continue
    const { line, column } = document.positionOf(['logsource'], 'key')
    const source = Object.values(document.logsource).join('/')
    output.note(plain(`${document.file}:${line}:${column}: note: no source gives events of ${source}, so the rule is idle.`))
  }
  output.note(`${files} files, ${rules.length} rules, ${faults.length} faults`)
  return faults.length === 0 ? 0 : 1
}

/** Whether ingest knows a format whose events are of that source. */
function isProvided(logsource: LogSource): boolean {
  const source = sourceOf(logsource)
  return source !== null && (source.format === null || FORMAT_NAMES.includes(source.format))
}

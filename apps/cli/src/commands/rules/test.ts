/** `tocsin rules test`: the tests that stand in the rules. */
import { runRuleTests } from '@tocsin/engine'
import { type Output, plain } from '../../output.ts'
import { faultLines, readRules } from '../../rules/rule-files.ts'

/** Returns the exit code: 1 where a test has failed or a rule has a fault. */
export function testRules(paths: readonly string[], output: Output): number {
  const { rules, faults } = readRules(paths)
  for (const line of faultLines(faults)) output.result(plain(`refused: ${line}`))
  let [passed, failed, untested] = [0, 0, 0]
  for (const rule of rules) {
    const results = runRuleTests(rule)
    if (results.length === 0) untested++
    for (const { name, faults: differences } of results) {
      if (differences.length === 0) passed++
      else failed++
      output.result(plain(`${differences.length === 0 ? 'ok' : 'failed'}  ${rule.record.ruleId}: ${name}`))
      for (const difference of differences) output.result(plain(`        ${difference}`))
    }
  }
  output.note(`${passed} passed, ${failed} failed, ${untested} rules without tests, ${faults.length} faults`)
  return failed + faults.length === 0 ? 0 : 1
}

/**
 * `npm test [-- PATH…] [--project unit|integration|e2e] [-t TITLE]`: all tests, or those whose path contains one of the given texts.
 * The last line on standard output is "N passed, N failed, N skipped". Exit code 1 when a test failed or an error was not handled.
 */
import { parseArgs } from 'node:util'
import { createVitest } from 'vitest/node'
import { type LeftProcess, processesWith } from './left-processes.ts'

/** How long the infrastructure and the workers may take to end. */
const CLOSE_LIMIT_MS = 30_000
/** A process that was told to end just now is not left behind. */
const ENDING_LIMIT_MS = 5_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    project: { type: 'string', multiple: true },
    testNamePattern: { type: 'string', short: 't' },
  },
})
// Marks the run: processes that belong to it, and templates of databases, which its workers share.
const run = `${process.pid}-${Date.now().toString(36)}`
process.env['TOCSIN_TEST_RUN'] = run

const vitest = await createVitest('test', {
  watch: false,
  run: true,
  passWithNoTests: false,
  ...(values.project ? { project: values.project } : {}),
  ...(values.testNamePattern ? { testNamePattern: values.testNamePattern } : {}),
})

let interrupted = false
const interrupt = () => {
  if (interrupted) return
  interrupted = true
  console.error('stopping')
  void vitest.cancelCurrentRun('keyboard-input')
  setTimeout(() => process.exit(1), CLOSE_LIMIT_MS).unref()
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt)
// The bootstrap script is gone, and with it whoever asked for the tests.
process.on('disconnect', interrupt)

const counts = { passed: 0, failed: 0, skipped: 0 }
let problem = false
try {
  await vitest.start(positionals)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  problem = true
}
for (const module of vitest.state.getTestModules()) {
  if (module.state() === 'failed') problem = true
  // A file that could not be loaded has no tests to count.
  if (module.errors().length > 0) counts.failed += 1
  for (const test of module.children.allTests()) {
    const { state } = test.result()
    counts[state === 'pending' ? 'skipped' : state] += 1
  }
}
if (vitest.state.getUnhandledErrors().length > 0) problem = true
await vitest.close()
const left = await leftProcesses()
if (left.length > 0) {
  console.error(`tests left ${left.length} processes behind, which are killed now:`)
  for (const { pid, command } of left) {
    console.error(`  ${pid} ${command}`)
    process.kill(pid, 'SIGKILL')
  }
  problem = true
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exit(problem || interrupted || counts.failed > 0 ? 1 : 0)

async function leftProcesses(): Promise<LeftProcess[]> {
  const end = performance.now() + ENDING_LIMIT_MS
  for (;;) {
    const found = processesWith('TOCSIN_TEST_RUN', run)
    if (found.length === 0 || performance.now() > end) return found
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/**
 * `npm run mutations [-- NAME…]`: breaks the code in one place after the other, in a copy of the last commit, and runs the test that has to notice.
 * Prints a table; exit code 1 when a mutation survives, when its text is not in the code any more, or when its test fails without it. Some
 * twenty minutes in all, because each mutation has the tests to itself; texts that the mutation's name contains choose some.
 */
import { execFileSync, spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MUTATIONS, type Mutation } from './mutation-list.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** A mutated program may run for ever. */
const LIMIT_MS = 300_000
const OWN_SCOPE = '@tocsin'

type Outcome = 'killed' | 'killed (time)' | 'SURVIVED' | 'BROKEN'

const wanted = process.argv.slice(2)
const chosen = MUTATIONS.filter(({ name }) => wanted.length === 0 || wanted.some((text) => name.includes(text)))
const copy = mkdtempSync(join(tmpdir(), 'tocsin-mutations-'))
const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] })

let failed = chosen.length === 0
if (String(git('status', '--porcelain')).trim() !== '') console.error('mutations: what is not committed is not in the copy')
git('worktree', 'add', '--quiet', '--detach', '--force', copy, 'HEAD')
try {
  linkModules()
  for (const [name, test] of new Map(chosen.map(({ test }) => [test.join(': '), test]))) {
    const { failures, status, output } = await run(test)
    if (status === 0) continue
    failed = true
    console.error(
      `mutations: without any mutation ${name} fails (exit code ${status}, ${failures} tests)\n${output.slice(-3_000)}`,
    )
  }
  if (!failed) {
    console.log('| mutation | test | outcome | s |\n|---|---|---|---|')
    for (const mutation of chosen) {
      const begun = performance.now()
      const outcome = await outcomeOf(mutation)
      if (!outcome.startsWith('killed')) failed = true
      const seconds = Math.round((performance.now() - begun) / 1000)
      console.log(`| ${mutation.name} | ${mutation.test.join(': ')} | ${outcome} | ${seconds} |`)
    }
  }
} finally {
  git('worktree', 'remove', '--force', copy)
  rmSync(copy, { recursive: true, force: true })
}
process.exitCode = failed ? 1 : 0

async function outcomeOf({ name, file, from, to, test }: Mutation): Promise<Outcome> {
  const path = join(copy, file)
  const before = readFileSync(path, 'utf8')
  const count = before.split(from).length - 1
  if (count !== 1) {
    console.error(`mutations: ${name}: the text to change is ${count} times in ${file}`)
    return 'BROKEN'
  }
  writeFileSync(
    path,
    before.replace(from, () => to),
  )
  try {
    const { status, failures, output } = await run(test)
    if (status === 'time') return 'killed (time)'
    if (failures > 0) return 'killed'
    if (status === 0) return 'SURVIVED'
    console.error(`mutations: ${name}: no test ran\n${output.slice(-2_000)}`)
    return 'BROKEN'
  } finally {
    writeFileSync(path, before)
  }
}

/** @param test a file, and the beginning of a title in it */
async function run([file, title]: Mutation['test']): Promise<{
  readonly status: number | 'time'
  readonly failures: number
  readonly output: string
}> {
  const report = join(copy, '.mutation-report.json')
  rmSync(report, { force: true })
  const args = [
    'run',
    file,
    '--bail=1',
    // A busy machine is no mutation.
    `--testTimeout=${LIMIT_MS}`,
    '--reporter=dot',
    '--reporter=json',
    `--outputFile=${report}`,
    ...(title === undefined ? [] : ['-t', title]),
  ]
  const child = spawn(process.execPath, [join(copy, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: copy,
    // Some faults show in one random stream of a thousand.
    env: { TOCSIN_PROPERTY_RUNS: '5', ...process.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  let late = false
  const timer = setTimeout(() => {
    late = true
    // The group: workers and the infrastructure of tests with them.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }, LIMIT_MS)
  const code = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
  clearTimeout(timer)
  const failures = existsSync(report)
    ? (JSON.parse(readFileSync(report, 'utf8')) as { numFailedTests: number }).numFailedTests
    : 0
  return { status: late ? 'time' : code, failures, output }
}

/** Packages from elsewhere are shared with the original, our own are those of the copy. */
function linkModules(): void {
  for (const folder of ['node_modules', 'apps/cli/node_modules'].filter((each) => existsSync(join(ROOT, each)))) {
    mkdirSync(join(copy, folder))
    for (const name of readdirSync(join(ROOT, folder)).filter((each) => !each.startsWith('.'))) {
      if (name === OWN_SCOPE)
        cpSync(join(ROOT, folder, name), join(copy, folder, name), { recursive: true, verbatimSymlinks: true })
      else symlinkSync(join(ROOT, folder, name), join(copy, folder, name))
    }
  }
  const cache = join(ROOT, '.local/cache')
  if (!existsSync(cache)) return
  mkdirSync(dirname(join(copy, '.local/cache')), { recursive: true })
  symlinkSync(cache, join(copy, '.local/cache'))
}

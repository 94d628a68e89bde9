/**
 * `npm run verify [-- --static]`: everything that must hold before a change goes in. Format and lint, types, borders, dead code,
 * contracts drift, side by side; then all tests, unless `--static` is given.
 */
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const CHECKS = ['format', 'types', 'dashboard', 'borders', 'dead-code', 'contracts']

const checks = await run(join(ROOT, 'node_modules/.bin/turbo'), [
  'run',
  ...CHECKS.map((name) => `//#check:${name}`),
  '--continue',
  '--output-logs=errors-only',
  '--no-update-notifier',
])
if (checks !== 0) {
  console.error('verify: a check failed; its output is above')
  process.exit(1)
}
if (process.argv.includes('--static')) process.exit(0)
process.exit(await run(process.execPath, [join(ROOT, 'scripts/test.ts')]))

async function run(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, [...args], {
    cwd: ROOT,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    // The checks run on the Node that runs this, whatever the system has.
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}`, TURBO_TELEMETRY_DISABLED: '1' },
  })
  const stop = () => child.kill('SIGTERM')
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop)
  process.once('disconnect', stop)
  return await new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(error.message)
      resolve(1)
    })
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

/** The built dashboard: built by Vite into a folder named after what it was built from, so that nothing is built twice. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { LocalFault } from './local-fault.ts'
import { CACHE, CHECKOUT } from './places.ts'

const SOURCE = join(CHECKOUT, 'apps/dashboard')
/** Whatever the build reads. The lockfile stands for the packages. */
const INPUTS = [SOURCE, ...['contracts/src', 'libs/access/src', 'package-lock.json'].map((path) => join(CHECKOUT, path))]
const LEFT_OUT = new Set(['node_modules', 'dist', '.turbo', 'test'])

/** The folder to serve. Rejects with the end of Vite's output when the build fails. */
export async function builtDashboard(say: (line: string) => void, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for (const input of INPUTS) addToHash(hash, input)
  const target = join(CACHE, `dashboard-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(target)) return target
  say('building the dashboard')
  const partial = `${target}.${process.pid}`
  try {
    await build(partial, signal)
    renameSync(partial, target)
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    // Another start may have been faster.
    if (!existsSync(target)) throw error
  }
  return target
}

async function build(outDir: string, signal?: AbortSignal): Promise<void> {
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js')
  const args = [vite, 'build', SOURCE, '--outDir', outDir, '--emptyOutDir', '--logLevel', 'warn']
  const child = spawn(process.execPath, args, { cwd: SOURCE, stdio: ['ignore', 'pipe', 'pipe'], ...(signal ? { signal } : {}) })
  let output = ''
  const take = (piece: Buffer) => {
    output = (output + piece.toString('utf8')).slice(-3_000)
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new LocalFault(`the dashboard could not be built:\n${output.trim()}`)),
    )
  })
}

function addToHash(hash: ReturnType<typeof createHash>, path: string): void {
  if (!statSync(path).isDirectory()) {
    hash.update(`${path.slice(CHECKOUT.length)}\0`).update(readFileSync(path))
    return
  }
  for (const name of readdirSync(path).sort()) if (!LEFT_OUT.has(name)) addToHash(hash, join(path, name))
}

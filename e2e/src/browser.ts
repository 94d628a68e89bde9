/** A real browser for tests, from a package: nothing has to be installed on the machine. */
import { existsSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const FOLDER = join(import.meta.dirname, '../../.local/cache/browser')
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Starts headless Chromium; the first time it is unpacked, some 200 MB. */
export async function launchBrowser(): Promise<Browser> {
  mkdirSync(FOLDER, { recursive: true })
  // The package unpacks into the temporary folder, where a copy of another user, which we may not run, can lie.
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = FOLDER
  try {
    const unpacker = await import('@sparticuz/chromium')
    const executablePath = await unpacker.default.executablePath()
    const launch = (env: NodeJS.ProcessEnv = {}) =>
      chromium.launch({ executablePath, headless: true, args: ARGS, env: { ...definedOf(process.env), ...definedOf(env) } })
    return await launch().catch(async (error: Error) => {
      if (!error.message.includes('shared libraries')) throw error
      // A machine without NSS and the like: the package brings them.
      const libraries = join(FOLDER, 'al2023/lib')
      if (!existsSync(libraries)) await unpacker.inflate(join(packageFolder(), 'bin/al2023.tar.br'))
      return await launch({ LD_LIBRARY_PATH: libraries })
    })
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
}

const packageFolder = () => join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '..')
const definedOf = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined))

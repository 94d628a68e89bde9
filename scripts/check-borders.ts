/**
 * Checks who imports whom (.dependency-cruiser.mjs). A cruise that cannot read TypeScript finds nothing wrong, because it finds
 * nothing: so every source file must have been looked at, and imports that are known to exist must have been seen.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FOLDERS = ['contracts', 'libs', 'services', 'apps', 'bench', 'e2e', 'deploy', 'scripts']
/** One import of each kind that the rules speak of: of a package, of another workspace, of a type only. */
const KNOWN_IMPORTS = [
  ['libs/postgres/src/connection.ts', 'node_modules/pg/'],
  ['deploy/local/src/database-roles.ts', 'libs/postgres/src/index.ts'],
  ['deploy/local/src/development-organization.ts', 'contracts/src/index.ts'],
] as const

interface Cruise {
  readonly modules: readonly { readonly source: string; readonly dependencies: readonly { readonly resolved: string }[] }[]
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly to: string; readonly rule: { readonly name: string } }[]
  }
}

const depcruise = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')
const args = [depcruise, '--config', join(ROOT, '.dependency-cruiser.mjs'), '--output-type', 'json', ...FOLDERS]
const cruise = JSON.parse(run(process.execPath, args)) as Cruise

const seen = new Map(cruise.modules.map((module) => [module.source, module]))
const files = run('git', [
  'ls-files',
  '--cached',
  '--others',
  '--exclude-standard',
  '--',
  ...FOLDERS.map((folder) => `${folder}/**/*.ts`),
])
  .split('\n')
  .filter((file) => file !== '' && !file.endsWith('.d.ts'))
const faults = [
  ...cruise.summary.violations.map((each) => `${each.from} → ${each.to}: ${each.rule.name}`),
  ...files.filter((file) => !seen.has(file)).map((file) => `${file} was not looked at`),
  ...KNOWN_IMPORTS.filter(([from, to]) => !seen.get(from)?.dependencies.some((each) => each.resolved.startsWith(to))).map(
    ([from, to]) => `the import of ${to} in ${from} was not seen: the rules are not checked`,
  ),
]
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exit(1)
}
console.log(`${files.length} files keep the borders`)

/** Standard output of a command; with violations dependency-cruiser exits with a code of its own and still prints its answer. */
function run(command: string, argv: readonly string[]): string {
  try {
    return execFileSync(command, [...argv], {
      cwd: ROOT,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    if (stdout?.startsWith('{')) return stdout
    throw new Error(`${command} failed: ${stderr ?? error}`)
  }
}

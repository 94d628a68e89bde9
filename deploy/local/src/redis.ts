/** Redis as a native process: the system's redis-server, else the one that the pinned Maven artifact carries. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LocalFault } from './local-fault.ts'
import { redisAnswers } from './probes.ts'
import type { ProcessSpec } from './supervised-process.ts'
import { readZipEntry } from './zip.ts'

export interface RedisOptions {
  readonly dir: string
  readonly binary: string
  readonly logFile: string
  readonly port: number
  readonly password: string
  /** False for tests: nothing is written to disk. */
  readonly durable: boolean
}

export function systemRedis(): string | undefined {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return 'redis-server'
  } catch {
    return undefined
  }
}

/** Takes redis-server out of the embedded-redis jar among `libs` into the cache folder; returns its path. */
export function redisFromJars(libs: string, cache: string): string {
  const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch as string]
  const jar = readdirSync(libs).find((file) => file.startsWith('embedded-redis-'))
  if (!jar || !architecture)
    throw new LocalFault(`no redis-server for ${process.platform} ${process.arch}: install Redis 6 or later`)
  const target = join(cache, `redis-server-${jar.replace('.jar', '')}`)
  if (existsSync(target)) return target
  const wanted = new RegExp(`^redis-server-6\\.[^/]*-${process.platform}-${architecture}$`)
  const binary = readZipEntry(join(libs, jar), (name) => wanted.test(name))
  if (!binary) throw new LocalFault(`no redis-server for ${process.platform} ${process.arch}: install Redis 6 or later`)
  const partial = `${target}-${process.pid}`
  writeFileSync(partial, binary)
  chmodSync(partial, 0o755)
  renameSync(partial, target)
  return target
}

export function prepareRedis(options: RedisOptions): ProcessSpec {
  mkdirSync(options.dir, { recursive: true })
  // A file of its own, so that the password is in no command line.
  const settings = join(options.dir, 'redis.conf')
  const lines = [
    'bind 127.0.0.1',
    `port ${options.port}`,
    `requirepass ${options.password}`,
    `dir ${JSON.stringify(options.dir)}`,
    'daemonize no',
    options.durable ? 'appendonly yes' : 'appendonly no',
    'appendfsync everysec',
    'save ""',
  ]
  writeFileSync(settings, `${lines.join('\n')}\n`, { mode: 0o600 })
  return {
    name: 'redis',
    command: options.binary,
    args: [settings],
    cwd: options.dir,
    logFile: options.logFile,
    port: options.port,
    stopSignal: 'SIGTERM',
    stopLimitMs: 4_000,
    ready: () => redisAnswers({ host: '127.0.0.1', port: options.port }, options.password),
    readyLimitMs: 30_000,
    earlyDeaths: 0,
  }
}

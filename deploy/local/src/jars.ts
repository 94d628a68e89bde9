/** Apache Kafka's jars and the jar with redis-server, resolved once by Maven from deploy/local/pom.xml and kept in a cache folder. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LocalFault } from './local-fault.ts'
import type { Supervision } from './supervised-process.ts'

const POM = fileURLToPath(new URL('../pom.xml', import.meta.url))
const PROGRESS_EVERY_MS = 2_000

/** The folder that holds the jars; a changed pom.xml has another folder. Several callers at once (start, test) do no harm. */
export async function resolveJars(cache: string, supervision: Pick<Supervision, 'say' | 'signal'>): Promise<string> {
  const version = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12)
  const libs = join(cache, `jars-${version}`)
  if (existsSync(libs)) return libs
  mkdirSync(cache, { recursive: true })
  const partial = join(cache, `.jars-${version}-${process.pid}`)
  rmSync(partial, { recursive: true, force: true })
  supervision.say('fetching Apache Kafka with Maven (once; about 65 MB)')
  await runMaven(partial, supervision)
  try {
    renameSync(partial, libs)
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    if (!existsSync(libs)) throw error
  }
  return libs
}

async function runMaven(output: string, { say, signal }: Pick<Supervision, 'say' | 'signal'>): Promise<void> {
  let downloaded = 0
  let lines = ''
  const progress = setInterval(
    () =>
      say(
        downloaded === 0 ? 'Maven is looking at its own cache' : `fetching Apache Kafka: ${downloaded} files downloaded so far`,
      ),
    PROGRESS_EVERY_MS,
  )
  try {
    await new Promise<void>((resolve, reject) => {
      const args = ['-B', '-f', POM, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${output}`]
      const maven = spawn('mvn', args, { stdio: ['ignore', 'pipe', 'pipe'], signal })
      const take = (piece: Buffer) => {
        const text = piece.toString('utf8')
        downloaded += text.split('Downloaded from').length - 1
        lines = (lines + text).slice(-4_000)
      }
      maven.stdout.on('data', take)
      maven.stderr.on('data', take)
      maven.once('error', () =>
        reject(new LocalFault('Maven (mvn) is missing: install Maven 3.8 or later and run the command again')),
      )
      maven.once('exit', (code) => {
        if (code === 0) return resolve()
        const faults = lines.split('\n').filter((line) => line.includes('[ERROR]'))
        reject(new LocalFault(`Maven could not fetch Apache Kafka: ${faults[0]?.replace('[ERROR] ', '') ?? `exit code ${code}`}`))
      })
    })
  } catch (error) {
    rmSync(output, { recursive: true, force: true })
    throw error
  } finally {
    clearInterval(progress)
  }
}

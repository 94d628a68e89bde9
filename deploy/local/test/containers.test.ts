import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withConnection } from '@tocsin/postgres'
import { afterAll, describe, expect, it } from 'vitest'
import { dockerAnswers, imagesAreThere, removeContainers, startContainers } from '../src/containers.ts'
import { choosePorts } from '../src/ports.ts'
import { waitUntil } from '../src/waiting.ts'

const possible = dockerAnswers() && imagesAreThere()
if (!possible) console.log('skipped: no Docker daemon answers here, or it has not the images, so no containers were tried')
const dir = mkdtempSync(join(tmpdir(), 'tocsin-containers-'))
const passwords = { postgres: 'p', redis: 'r' }
const project = (folder: string): string => JSON.parse(readFileSync(join(folder, 'containers.json'), 'utf8')).project
/** What there is of a project: containers in any state, or volumes. */
const left = (kind: 'ps' | 'volume', of: string) => {
  const args = kind === 'ps' ? ['ps', '-aq'] : ['volume', 'ls', '-q']
  const answer = execFileSync('docker', [...args, '--filter', `label=com.docker.compose.project=${of}`], { encoding: 'utf8' })
  return answer.split('\n').filter(Boolean).length
}

async function start() {
  const ports = await choosePorts(['kafka', 'postgres', 'redis'], join(dir, 'ports.json'))
  const { signal } = new AbortController()
  return await startContainers({ dir, ports, passwords, say: () => {}, temporary: false, signal })
}

afterAll(async () => {
  if (possible) await removeContainers(dir, { data: true })
  rmSync(dir, { recursive: true, force: true })
})

describe.skipIf(!possible)('containers', () => {
  it('keep their data over a stop, which leaves no container, until the data are removed', async () => {
    const first = await start()
    await withConnection(first.databaseAdminUrl, (queries) => queries('CREATE TABLE kept AS SELECT 1 AS content'))
    const name = project(dir)
    await first.stop()
    expect([left('ps', name), left('volume', name)]).toEqual([0, 3])
    const second = await start()
    expect(await withConnection(second.databaseAdminUrl, (queries) => queries('SELECT content FROM kept'))).toEqual([
      { content: 1 },
    ])
    await removeContainers(dir, { data: true })
    expect([left('ps', name), left('volume', name)]).toEqual([0, 0])
  }, 120_000)

  it('of a test run whose launcher is killed are removed with their data', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tocsin-killed-'))
    const program = fileURLToPath(new URL('./start-and-wait.ts', import.meta.url))
    const launcher = spawn(process.execPath, [program, folder, 'containers'], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise<void>((resolve) => launcher.stdout.once('data', () => resolve()))
    const name = project(folder)
    expect(left('ps', name)).toBe(3)
    launcher.kill('SIGKILL')
    await waitUntil(() => !existsSync(folder), { what: 'the folder to be removed', limitMs: 30_000 })
    expect([left('ps', name), left('volume', name)]).toEqual([0, 0])
  }, 120_000)
})

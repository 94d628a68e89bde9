import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { announceUrl, readLauncher, releaseLauncherLock, takeLauncherLock } from './launcher-lock.ts'
import { processIdentity } from './process-identity.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-lock-'))
  file = join(folder, 'launcher.json')
})
afterEach(() => rmSync(folder, { recursive: true }))

it('tells the second launcher where the first one is', () => {
  expect(takeLauncherLock(file)).toBeUndefined()
  announceUrl(file, 'http://127.0.0.1:1')
  expect(takeLauncherLock(file)).toMatchObject({ pid: process.pid, url: 'http://127.0.0.1:1' })
  releaseLauncherLock(file)
  expect(readdirSync(folder)).toEqual([])
})

it('takes over the lock of a launcher that is gone', async () => {
  const module = JSON.stringify(new URL('./launcher-lock.ts', import.meta.url).href)
  const code = `const { takeLauncherLock } = await import(${module}); takeLauncherLock(${JSON.stringify(file)})`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' })
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0)
  expect(readdirSync(folder)).toEqual(['launcher.json'])
  expect(readLauncher(file)).toBeUndefined()
  expect(takeLauncherLock(file)).toBeUndefined()
  expect(readLauncher(file)?.pid).toBe(process.pid)
})

it('knows a process by more than its pid', () => {
  const mine = processIdentity(process.pid)
  expect(mine).toBe(processIdentity(process.pid))
  expect(mine).not.toBe(processIdentity(process.ppid))
  expect(processIdentity(2 ** 22 + 1)).toBeUndefined()
})

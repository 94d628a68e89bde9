import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyRing, loadKeyRing } from '@tocsin/access'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listKeys, retireKeys, rotateKeys } from './keys.ts'

const NOW = Date.now()
let folder: string
let path: string
const said: string[] = []
const output = { result: (text: string) => void said.push(text), note: (text: string) => void said.push(text) }
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-cli-keys-'))
  path = join(folder, 'keys.json')
  await writeFile(path, JSON.stringify(await generateKeyRing()), { mode: 0o600 })
})
afterAll(() => rm(folder, { recursive: true }))

test('a rotated ring makes with the new key from the given time on, and the file can be read by its owner only', async () => {
  expect(await rotateKeys({ path, output, now: NOW, name: 'cursors', activateAfterMs: 60_000 })).toBe(0)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  const { cursors } = await loadKeyRing(path)
  expect(cursors).toMatchObject({ active: 'k1', next: { id: 'k2' } })
  expect(cursors.keys['k1']?.validUntil).toBe(new Date(NOW + 60_000 + 31 * 86_400_000).toISOString())
  expect(said.join()).toContain('Services read')
})

test('the list shows the state of every key and no key', async () => {
  said.length = 0
  await listKeys({ path, output, now: NOW })
  expect(said.join()).toMatch(/cursors {3}k1 {4}active\n/)
  expect(said.join()).toMatch(/cursors {3}k2 {4}active from /)
  const file = JSON.parse(await readFile(path, 'utf8'))
  for (const secret of [file.cursors.keys.k1.secret, file.cursors.keys.k2.secret, file.tokens.keys.k1.privateJwk.d])
    expect(said.join()).not.toContain(secret)
})

test('the active key cannot be retired, an old one can, and then it opens nothing', async () => {
  const ring = { path, output, name: 'cursors' } as const
  await expect(retireKeys({ ...ring, now: NOW, id: 'k1' })).rejects.toThrow('rotate first')
  await expect(retireKeys({ ...ring, now: NOW, id: 'k9' })).rejects.toThrow('no key k9')
  await retireKeys({ ...ring, now: NOW + 61_000, id: 'k1' })
  expect((await loadKeyRing(path)).cursors).toMatchObject({ active: 'k2', keys: { k2: {} } })
  expect(Object.keys((await loadKeyRing(path)).cursors.keys)).toEqual(['k2'])
})

test('a file of an earlier release gets the ring that it lacks', async () => {
  const { history: _history, ...older } = JSON.parse(await readFile(path, 'utf8'))
  await writeFile(path, JSON.stringify(older), { mode: 0o600 })
  await rotateKeys({ path, output, now: NOW, name: 'history', activateAfterMs: 0 })
  expect((await loadKeyRing(path)).history.active).toBe('k1')
  expect((await loadKeyRing(path)).cursors).toMatchObject({ active: 'k2' })
})

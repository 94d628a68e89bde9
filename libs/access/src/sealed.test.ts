import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  completeKeyRing,
  generateKey,
  generateKeyRing,
  hashKey,
  loadKeyRing,
  openCookie,
  openCursor,
  openPage,
  sealCookie,
  sealCursor,
  sealPage,
} from './index.ts'

const ring = await generateKeyRing()
const position = { organizationId: '6f7b7a0e-2f0c-4f6e-9c38-0a5d2a7a1b11', partition: 3, offset: 9_007_199_254_740_993n }

test('a cursor opens to exactly what was sealed, also past 2^53', () => {
  expect(openCursor(ring, sealCursor(ring, position))).toEqual(position)
})

test('a cursor that was changed in any byte, made by another ring or for another purpose is refused', async () => {
  const sealed = sealCursor(ring, position)
  const refused = expect.objectContaining({ status: 400, problemCode: 'INVALID_CURSOR' })
  const attempt = (text: string) => {
    try {
      return openCursor(ring, text)
    } catch (error) {
      return error
    }
  }
  const bytes = Buffer.from(sealed.slice(3), 'base64url')
  for (let place = 0; place < bytes.length; place++) {
    const changed = Buffer.from(bytes)
    changed[place] = (changed[place] ?? 0) ^ 1
    expect(attempt(`k1.${changed.toString('base64url')}`)).toEqual(refused)
  }
  const others = await generateKeyRing()
  for (const text of [
    '',
    '.',
    'k1.',
    'k2.AAAA',
    '__proto__.AAAA',
    'x'.repeat(600),
    sealCursor(others, position),
    sealPage(ring, { id: '1' }),
  ])
    expect(attempt(text)).toEqual(refused)
})

test('places in a list and cookies are sealed each for itself', () => {
  expect(openPage(ring, sealPage(ring, { id: 'a' }))).toEqual({ id: 'a' })
  expect(openCookie(ring, sealCookie(ring, 'grüße'))).toBe('grüße')
  expect(openCookie(ring, sealCursor(ring, position))).toBeNull()
  expect(() => openPage(ring, sealCursor(ring, position))).toThrow('not one of ours')
})

test('an ingest key has 43 random characters and is known by its hash', () => {
  expect(generateKey()).toMatch(/^tk_[A-Za-z0-9_-]{43}$/)
  expect(generateKey()).not.toBe(generateKey())
  // FIPS 180-2, the one-block example.
  expect(hashKey('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-keys-'))
})
afterAll(() => rm(folder, { recursive: true }))
const written = async (name: string, text: string, mode = 0o600) => {
  const path = join(folder, name)
  await writeFile(path, text, { mode })
  await chmod(path, mode)
  return path
}

test('a keys file is read back as it was generated', async () => {
  expect(await loadKeyRing(await written('good', JSON.stringify(ring)))).toEqual(ring)
})

test('a keys file of an earlier release gets a key for what it lacks, keeps the others, and until then names the command', async () => {
  const { history: _history, ...older } = ring
  const path = await written('older', JSON.stringify(older))
  await expect(loadKeyRing(path)).rejects.toThrow('no ring "history": make one with: tocsin keys rotate history')
  const complete = await completeKeyRing(older)
  expect(complete).toMatchObject(older)
  expect(complete.history.keys[complete.history.active]).toMatchObject({ alg: 'EdDSA' })
})

test('a keys file that others may read, is damaged or lacks a key is refused by name and without its content', async () => {
  const secret = ring.fields.keys['k1']?.secret ?? ''
  const faults: Record<string, Promise<string>> = {
    'cannot be read': Promise.resolve(join(folder, 'missing')),
    'mode to 0600': written('open', JSON.stringify(ring), 0o644),
    'is not JSON': written('damaged', `{"fields": ${secret}`),
    'no active key in ring "cookies"': written(
      'inactive',
      JSON.stringify({ ...ring, cookies: { active: 'k9', keys: ring.cookies.keys } }),
    ),
    'key "k1" in ring "fields"': written(
      'short',
      JSON.stringify({ ...ring, fields: { active: 'k1', keys: { k1: { secret: 'c2hvcnQ=' } } } }),
    ),
    'no ring "services"': written('lacking', JSON.stringify({ ...ring, services: undefined })),
  }
  for (const [words, path] of Object.entries(faults)) {
    const error = await loadKeyRing(await path).catch((thrown: unknown) => thrown)
    expect(String(error)).toContain(words)
    expect(String(error)).not.toContain(secret)
  }
})

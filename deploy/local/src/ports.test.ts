import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { choosePorts } from './ports.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-ports-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const names = ['kafka', 'postgres', 'redis'] as const

it('chooses different ports below those that the kernel gives to clients', async () => {
  const ports = Object.values(await choosePorts(names))
  expect(new Set(ports).size).toBe(3)
  for (const port of ports) expect(port).toBeLessThan(30_000)
})

it('tries the ports of the last run first', async () => {
  const file = join(folder, 'ports.json')
  const first = await choosePorts(names, file)
  expect(await choosePorts(names, file)).toEqual(first)
})

it('takes another port where somebody else has bound the remembered one', async () => {
  const file = join(folder, 'ports.json')
  const first = await choosePorts(names, file)
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(first.kafka, '127.0.0.1', resolve))
  const second = await choosePorts(names, file)
  await new Promise((resolve) => other.close(resolve))
  expect(second.kafka).not.toBe(first.kafka)
  expect({ ...second, kafka: 0 }).toEqual({ ...first, kafka: 0 })
})

it('keeps the ports that other calls have noted in the file', async () => {
  const file = join(folder, 'ports.json')
  await Promise.all([choosePorts(['kafka'], file), choosePorts(['gateway'], file)])
  expect(Object.keys(JSON.parse(readFileSync(file, 'utf8'))).sort()).toEqual(['gateway', 'kafka'])
})

it('begins anew where the file is damaged', async () => {
  const file = join(folder, 'ports.json')
  writeFileSync(file, '{"kafka":')
  expect((await choosePorts(names, file)).kafka).toBeGreaterThan(0)
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyRing, verifyServiceToken, verifySignInCode } from '@tocsin/access'
import { expect, test } from 'vitest'
import { bootstrap } from './bootstrap.ts'

test('the key ring proves who may set up an installation, and each person gets a link of its own', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-bootstrap-'))
  const keysFile = join(folder, 'keys.json')
  const ring = await generateKeyRing()
  await writeFile(keysFile, JSON.stringify(ring), { mode: 0o600 })
  const asked: { token: string; body: unknown }[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    asked.push({ token: request.headers.authorization?.slice(7) ?? '', body: JSON.parse(Buffer.concat(chunks).toString()) })
    const first = asked.length === 1
    response.writeHead(first ? 201 : 409, { 'content-type': 'application/json' })
    response.end(JSON.stringify(first ? { organizationId: 'o1', slug: 'acme', ingestKey: 'tk_1' } : { detail: 'There is one.' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const lines: string[] = []
    const output = { result: (text: string) => void lines.push(text), note: () => {} }
    const options = { url, keysFile, organization: 'Acme', admin: 'ada', operator: 'root', output }
    expect(await bootstrap(options)).toBe(0)
    expect(asked[0]?.body).toEqual({ organization: 'Acme', admin: 'ada', operator: 'root' })
    expect(await verifyServiceToken(ring, asked[0]?.token, 'persistence')).toMatchObject({ caller: 'bootstrap' })
    const codes = lines.flatMap((line) => /code=(\S+)/.exec(line)?.[1] ?? [])
    const subjects = await Promise.all(codes.map(async (code) => (await verifySignInCode(ring, code)).subject))
    expect(subjects).toEqual(['ada', 'root'])
    await expect(bootstrap(options)).rejects.toThrow('There is one.')
  } finally {
    server.close()
    await rm(folder, { recursive: true })
  }
})

/** The command line beside a running installation, as a person at a terminal uses it. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Alert, AlertPage } from '@tocsin/contracts'
import { waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type OwnStack, sharedStack } from '../../src/stack.ts'

const CLI = join(import.meta.dirname, '../../../apps/cli/src/main.ts')
let stack: OwnStack
let local: string

beforeAll(async () => {
  stack = await sharedStack()
  const { organizationId, ingestKey, token } = await stack.tenant('development')
  local = mkdtempSync(join(tmpdir(), 'tocsin-cli-'))
  writeFileSync(join(local, 'operator.token'), stack.operatorToken)
  writeFileSync(join(local, 'keys.json'), JSON.stringify(stack.keys), { mode: 0o600 })
  const connection = { gateway: stack.gatewayUrl, mailbox: stack.mailboxUrl, organizationId, ingestKey, token }
  writeFileSync(join(local, 'connection.json'), JSON.stringify(connection))
})
afterAll(async () => {
  if (local !== undefined) rmSync(local, { recursive: true })
})

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}
const tocsin = async (...args: string[]): Promise<Ran> => {
  const env = { ...process.env, TOCSIN_LOCAL: local }
  const failed = (error: Ran) => ({ code: error.code, stdout: error.stdout, stderr: error.stderr })
  return promisify(execFile)(process.execPath, [CLI, ...args], { env }).then((done) => ({ code: 0, ...done }), failed)
}

test.each(['brute-force', 'exfiltration', 'insider'])(
  'demo %s shows event, alert, message and acknowledgement',
  async (scenario) => {
    const { code, stdout, stderr } = await tocsin('demo', scenario, '--seed', '3')
    expect([code, stderr]).toEqual([0, ''])
    const steps = [...stdout.matchAll(/^ +\d+\.\d\d s {2}(\w+)/gm)].map(([, step]) => step)
    expect(steps[0]).toBe('event')
    expect(steps).toEqual(expect.arrayContaining(['alert', 'message']))
    expect(steps.at(-1)).toBe('acknowledged')
    expect(stdout).toContain(`${stack.gatewayUrl}/alerts/`)
  },
)

test('sign-in prints a link that opens the dashboard once', async () => {
  const { code, stdout } = await tocsin('sign-in')
  expect(code).toBe(0)
  const open = () => fetch(stdout.trim(), { redirect: 'manual' })
  expect((await open()).headers.get('set-cookie')).toMatch(/HttpOnly/i)
  expect((await open()).headers.get('set-cookie')).toBeNull()
})

test('an organization made by the command line can send at once, and its alerts can be listed, acknowledged and resolved', async () => {
  const created = await tocsin('tenants', 'create', 'Acme Ltd', '--slug', 'acme-cli', '--json')
  expect([created.code, created.stderr]).toEqual([0, expect.stringContaining('warning: NOBODY_TOLD')])
  const { organizationId, ingestKey, token, warnings } = JSON.parse(created.stdout) as Record<string, string>
  expect(organizationId).toMatch(/^[0-9a-f-]{36}$/)
  expect(warnings).toHaveLength(1)

  const file = join(local, 'auth.log')
  const line = (n: number) =>
    `Dec 10 06:55:${10 + n} gate sshd[${n}]: Failed password for root from 192.0.2.4 port ${1000 + n} ssh2\n`
  writeFileSync(file, Array.from({ length: 6 }, (_, n) => line(n)).join(''))
  const send = () => tocsin('send', file, '--format', 'sshd', '--year', '2025', '--key', ingestKey ?? '', '--json')
  expect(JSON.parse((await send()).stdout)).toMatchObject({ accepted: 6, rejected: 0 })
  expect(JSON.parse((await send()).stdout)).toMatchObject({ accepted: 0, duplicate: 6 })

  const access = ['--token', token ?? '', '--json']
  const alert = await waitFor(
    async () => (JSON.parse((await tocsin('alerts', 'ls', '--status', 'active', ...access)).stdout) as AlertPage).items[0],
    { limitMs: 20_000, what: 'the alert' },
  )
  expect(alert).toMatchObject({ pattern: 'FAILED_AUTH', group: { principalId: 'root' } })
  const acknowledged = JSON.parse((await tocsin('alerts', 'ack', alert.id, ...access)).stdout) as Alert
  const resolved = JSON.parse((await tocsin('alerts', 'resolve', alert.id, '--notes', 'blocked', ...access)).stdout) as Alert
  expect([acknowledged.status, resolved.status, resolved.resolutionNotes]).toEqual(['acknowledged', 'resolved', 'blocked'])
  const again = await tocsin('alerts', 'ack', alert.id, ...access)
  expect([again.code, JSON.parse(again.stdout)]).toMatchObject([3, { present: 'resolved' }])
  expect(again.stderr).toContain('409')
})

const MEMBERS_RULE = `title: Member changed
name: member_changed
logsource: { product: tocsin }
detection: { change: { 'action|startswith': tocsin.member. }, condition: change }
---
title: Many changes of members
name: many_members_changed
level: high
correlation: { type: event_count, rules: [member_changed], timespan: 10m, condition: { gte: 3 } }
x-tocsin:
  id: members.changed
  type: SECURITY
  subject: [principalId]
  tests:
    - name: the third change within ten minutes raises an alert
      events: [{ action: tocsin.member.added, principalId: u1, repeat: 3, every: 1m }]
      alerts: [{ severity: HIGH, count: 3 }]
`

test('a rule from a folder watches who changes members: a plan, applied once, and an alert of what an admin did', async () => {
  const folder = mkdtempSync(join(local, 'rules-'))
  writeFileSync(join(folder, 'members.yml'), MEMBERS_RULE)
  const apply = (...flags: string[]) => tocsin('rules', 'apply', folder, '--name', 'admins', ...flags)
  expect((await apply()).stdout).toMatch(/^new +members\.changed/)
  expect((await tocsin('rules', 'show', 'members.changed')).code).toBe(1)
  expect((await apply('--yes')).stdout).toMatch(/^new /)
  const again = await apply('--yes')
  expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/^unchanged /)])

  for (const role of ['viewer', 'responder', 'auditor'])
    expect((await tocsin('members', 'set', 'mia@example.org', role)).stdout).toBe(`mia@example.org is ${role}\n`)
  expect((await tocsin('members', 'ls')).stdout).toMatch(/^auditor +mia@example\.org$/m)
  const list = (...filters: string[]) => tocsin('alerts', 'ls', '--json', '--rule', 'members.changed', ...filters)
  const itemsOf = ({ stdout }: Ran) => (JSON.parse(stdout) as AlertPage).items
  const alert = await waitFor(async () => itemsOf(await list('--since', '1h', '--sort', 'severity'))[0], {
    limitMs: 30_000,
    what: 'the alert of what the admin did',
  })
  expect(alert).toMatchObject({ severity: 'HIGH', count: 3, group: { principalId: 'admin@development' } })
  expect(itemsOf(await list('--subject', 'admin@development', '--q', 'many changes', '--type', 'SECURITY'))).toHaveLength(1)
  for (const none of [
    ['--subject', 'mia@example.org'],
    ['--type', 'SYSTEM'],
    ['--assignee', 'mia@example.org'],
  ])
    expect(itemsOf(await list(...none))).toEqual([])
  expect((await list('--since', 'yesterday')).stderr).toContain('RFC 3339')

  expect((await tocsin('members', 'rm', 'mia@example.org')).stdout).toBe('mia@example.org removed\n')
  expect((await tocsin('rules', 'ls')).stdout).toMatch(/^active .*members\.changed.*fired 1, last /m)
})

test('where Tocsin does not run, one line says so', async () => {
  const env = { ...process.env, TOCSIN_LOCAL: '/nowhere' }
  await expect(promisify(execFile)(process.execPath, [CLI, 'demo'], { env })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^tocsin: Tocsin is not running here .*npm start.*\n$/),
  })
})

/** `npm start`: everything on this machine, until Ctrl-C. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { issueSignInLink, verifyToken } from '@tocsin/access'
import { builtDashboard } from './dashboard.ts'
import { type DevelopmentOrganization, ensureDevelopmentOrganization, issueOperatorToken } from './development-organization.ts'
import { announceUrl, releaseLauncherLock, takeLauncherLock } from './launcher-lock.ts'
import { LocalFault } from './local-fault.ts'
import { LOCAL } from './places.ts'
import { type Stack, startStack } from './stack.ts'

const LOCK = join(LOCAL, 'launcher.json')
const CONNECTION = join(LOCAL, 'connection.json')
const STILL_WAITING_MS = 2_000

const say = (line: string) => console.log(line)
const stopping = new AbortController()
const stopped = new Promise<void>((resolve) => {
  const stop = () => {
    stopping.abort(new Error('told to stop'))
    resolve()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  // The bootstrap script is gone, and with it whoever could have sent a signal.
  process.on('disconnect', stop)
})

async function main(): Promise<void> {
  mkdirSync(LOCAL, { recursive: true })
  const other = takeLauncherLock(LOCK)
  if (other) {
    const where = other.url ? `at ${other.url}` : '(still starting)'
    throw new LocalFault(`Tocsin is running already ${where}, process ${other.pid}: use that one, or stop it first`)
  }
  rmSync(CONNECTION, { force: true })
  let stack: Stack | undefined
  try {
    stack = await begin()
    await stopped
  } catch (error) {
    // A start that was interrupted has no fault to tell.
    if (!stopping.signal.aborted) throw error
  } finally {
    rmSync(CONNECTION, { force: true })
    if (stopping.signal.aborted) say('stopping')
    await stack?.stop()
    releaseLauncherLock(LOCK)
  }
  say('stopped')
}

async function begin(): Promise<Stack> {
  say('starting Kafka, PostgreSQL and Redis, then the services')
  const waiting = setInterval(() => say(`still starting, ${seconds()} s (logs: ${join(LOCAL, 'logs')})`), STILL_WAITING_MS)
  const { signal } = stopping
  try {
    const stack = await startStack({
      dir: LOCAL,
      durable: true,
      env: process.env,
      say,
      signal,
      dashboard: () => builtDashboard(say, signal),
      logLevel: process.env['LOG_LEVEL'] ?? 'info',
    })
    try {
      const operatorToken = await issueOperatorToken(stack.keys, join(LOCAL, 'operator.token'))
      const options = { gatewayUrl: stack.gatewayUrl, keys: stack.keys, file: join(LOCAL, 'development.json'), signal }
      const organization = await ensureDevelopmentOrganization(options, operatorToken)
      writeConnection(stack, organization)
      announceUrl(LOCK, stack.gatewayUrl)
      const { subject } = await verifyToken(stack.keys, organization.token)
      const link = await issueSignInLink(stack.keys, stack.gatewayUrl, subject)
      say(summary(stack, link))
      return stack
    } catch (error) {
      await stack.stop()
      throw error
    }
  } finally {
    clearInterval(waiting)
  }
}

/** Written when all is ready, and only then: whoever waits for this file may use everything in it. */
function writeConnection(stack: Stack, organization: DevelopmentOrganization): void {
  const connection = {
    gateway: stack.gatewayUrl,
    mailbox: stack.mailboxUrl,
    kafka: stack.kafkaBrokers,
    databaseUrl: stack.databases.tocsin_reader,
    redisUrl: stack.redisUrl,
    organizationId: organization.organizationId,
    ingestKey: organization.ingestKey,
    token: organization.token,
  }
  writeFileSync(CONNECTION, `${JSON.stringify(connection, null, 2)}\n`, { mode: 0o600 })
}

function summary(stack: Stack, link: string): string {
  return `
Tocsin is ready in ${seconds()} s.

  Dashboard   ${stack.gatewayUrl}
  Sign in     ${link}
              (opens the dashboard signed in; once, within 10 minutes)
  Mailbox     ${stack.mailboxUrl}
              (what e-mail, Slack and SMS would have carried)

  In the development organization notification delays are 0: people are told at once.
  Addresses and keys for programs: ${CONNECTION}
  Try it:  npm run demo        Stop:  Ctrl-C
`
}

/** Since the person pressed Enter, installing included. */
function seconds(): string {
  const begun = Number(process.env['TOCSIN_BEGUN_AT'])
  return ((Date.now() - (begun > 0 ? begun : performance.timeOrigin)) / 1000).toFixed(1)
}

try {
  await main()
  process.exit(0)
} catch (error) {
  console.error(error instanceof LocalFault ? error.message : error)
  process.exit(1)
}

import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { issueToken } from '@tocsin/access'
import type { OrganizationCreated } from '@tocsin/contracts'
import { createKafka, type Kafka } from '@tocsin/kafka'
import { builtDashboard, OPERATOR, type Stack, startStack } from '@tocsin/local'
import { type Queries, withConnection } from '@tocsin/postgres'
import { pino } from 'pino'
import { createTenant } from './installation.ts'

const LOCAL = join(import.meta.dirname, '../../.local')

/** A whole installation of a test's own: every process may be stopped or killed. */
export interface OwnStack extends Stack {
  readonly operatorToken: string
  /** A new organization; `name` is the mailbox it is told at: `name@example.org`, `#name`. */
  tenant(name: string): Promise<OrganizationCreated>
  /** Rows as the reader of `connection.json` sees them. */
  rows<T>(sql: string, values?: readonly unknown[]): Promise<T[]>
  /** What each process has logged until now, by file. */
  logs(): ReadonlyMap<string, string>
}

let shared: Promise<OwnStack> | undefined
/** For the files of one test run that share a stack; who asks for it has organizations of its own there. */
export const sharedStack = (): Promise<OwnStack> => {
  shared ??= startOwnStack()
  return shared
}

/** Starts everything in a folder of its own, which is gone after `stop`. */
export async function startOwnStack(): Promise<OwnStack> {
  mkdirSync(LOCAL, { recursive: true })
  const dir = mkdtempSync(join(LOCAL, 'test-e2e-'))
  const say = (line: string) => console.error(line)
  const stack = await startStack({ dir, durable: false, temporary: true, say, dashboard: () => builtDashboard(say) })
  const operatorToken = await issueToken(stack.keys, { subject: OPERATOR, ttlSeconds: 3600 })
  return {
    ...stack,
    operatorToken,
    tenant: (name) =>
      createTenant(stack.gatewayUrl, operatorToken, name, {
        slug: name,
        recipients: { emails: [`${name}@example.org`], slackChannels: [`#${name}`], phoneNumbers: ['+15550100'] },
      }),
    rows: <T>(sql: string, values: readonly unknown[] = []) =>
      withConnection(stack.databases.tocsin_reader, (queries: Queries) => queries(sql, values)) as Promise<T[]>,
    logs: () => new Map(globSync('logs/*.log', { cwd: dir }).map((file) => [file, readFileSync(join(dir, file), 'latin1')])),
    stop: async () => {
      await stack.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** A client of the installation's broker, for what producers with Kafka access do, and for looking at topics. */
export const kafkaOf = (stack: Stack): Kafka =>
  createKafka({
    brokers: stack.kafkaBrokers,
    clientId: 'e2e',
    prefix: stack.topicPrefix,
    log: pino({ level: 'silent' }),
  })

/** The organization in which a newcomer's events end up: made through the front door at the first start, kept for later ones. */
import { readFileSync, writeFileSync } from 'node:fs'
import { issueToken, type KeyRing } from '@tocsin/access'
import type { CreateOrganization, OrganizationCreated } from '@tocsin/contracts'
import { OPERATOR } from './services.ts'
import { waitUntil } from './waiting.ts'

/** Long enough for a day's work with the CLI; each start issues a new one. */
const OPERATOR_TOKEN_SECONDS = 30 * 24 * 3600
/** The grant of the operator's role reaches the services by the log. */
const ACCESS_LIMIT_MS = 30_000
const REQUEST_LIMIT_MS = 10_000

export interface DevelopmentOrganization {
  readonly organizationId: string
  readonly ingestKey: string
  /** Bearer token with the admin role. */
  readonly token: string
}

export interface DevelopmentOptions {
  readonly gatewayUrl: string
  readonly keys: KeyRing
  /** Keeps the answer, which holds secrets that are shown once (0600). */
  readonly file: string
  readonly signal: AbortSignal
}

export async function issueOperatorToken(keys: KeyRing, file: string): Promise<string> {
  const token = await issueToken(keys, { subject: OPERATOR, ttlSeconds: OPERATOR_TOKEN_SECONDS })
  writeFileSync(file, `${token}\n`, { mode: 0o600 })
  return token
}

export async function ensureDevelopmentOrganization(
  options: DevelopmentOptions,
  operatorToken: string,
): Promise<DevelopmentOrganization> {
  const kept = readKept(options.file)
  if (kept && (await isKnown(kept, options))) return kept
  const created = await create(options, operatorToken)
  const { organizationId, ingestKey, token } = created
  writeFileSync(options.file, `${JSON.stringify({ organizationId, ingestKey, token }, null, 2)}\n`, { mode: 0o600 })
  return { organizationId, ingestKey, token }
}

/** False when the database is another one than that of the start before. */
async function isKnown(kept: DevelopmentOrganization, options: DevelopmentOptions): Promise<boolean> {
  const status = await waitUntil(
    async () => {
      const answer = await ask(options, `/api/organizations/${kept.organizationId}`, kept.token)
      return answer.status < 500 && answer.status
    },
    patience(options, 'the front door to answer for the development organization'),
  )
  return status === 200
}

async function create(options: DevelopmentOptions, operatorToken: string): Promise<OrganizationCreated> {
  let slug = 'development'
  return await waitUntil(
    async () => {
      const answer = await ask(options, '/api/organizations', operatorToken, wanted(slug))
      if (answer.status === 201) return (await answer.json()) as OrganizationCreated
      // One of an earlier start, whose key and token are lost.
      if (answer.status === 409) slug = `development-${Math.random().toString(36).slice(2, 8)}`
      throw new Error(`POST /api/organizations answered ${answer.status}: ${await answer.text()}`)
    },
    patience(options, 'the development organization to be made'),
  )
}

function wanted(slug: string): CreateOrganization {
  return {
    name: 'Development',
    slug,
    // A newcomer sees the message at once, and not after the minutes that give people time to acknowledge.
    settings: { notificationDelaysMs: { CRITICAL: 0, HIGH: 0, MEDIUM: 0, LOW: 0, INFO: 0 } },
    recipients: { emails: ['dev@localhost'], slackChannels: ['#alerts'], phoneNumbers: ['+15550100'] },
  }
}

async function ask(options: DevelopmentOptions, path: string, token: string, body?: object): Promise<Response> {
  return await fetch(`${options.gatewayUrl}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
  })
}

function patience(options: DevelopmentOptions, what: string) {
  return { what, limitMs: ACCESS_LIMIT_MS, givenUp: () => (options.signal.aborted ? new Error('stopped') : undefined) }
}

function readKept(file: string): DevelopmentOrganization | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as DevelopmentOrganization
  } catch {
    return undefined
  }
}

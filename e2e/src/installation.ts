import { gzipSync } from 'node:zlib'
import type {
  Alert,
  AlertPage,
  AlertWithEvidence,
  IngestAnswer,
  NotificationEntry,
  OrganizationCreated,
  SocketMessage,
} from '@tocsin/contracts'
import { WebSocket } from 'ws'

/** The addresses and secrets of `.local/connection.json`, as a client on the same machine uses them. */
export interface Connection {
  readonly gateway: string
  readonly mailbox: string
  readonly kafka: string
  readonly databaseUrl: string
  readonly redisUrl: string
  readonly organizationId: string
  readonly ingestKey: string
  readonly token: string
}

/** One organization as its producers and people see it: only what is public, through the front door. */
export interface Tenant {
  readonly organizationId: string
  readonly ingestKey: string
  readonly token: string
}

export interface MailboxMessage {
  readonly id: string
  readonly kind: 'mail' | 'slack' | 'sms'
  readonly at: string
  readonly to: string
  readonly subject?: string
  readonly text: string
  readonly html?: string
  readonly alertId?: string
}

export interface Answer<T> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

async function answerOf<T>(response: Response): Promise<Answer<T>> {
  const text = await response.text()
  let body: unknown = text
  try {
    body = JSON.parse(text)
  } catch {
    // Left as text: an HTML page, or a fault that the caller's expectation will show.
  }
  return { status: response.status, headers: response.headers, body: body as T }
}

/** Sends a body to /v1/events as it is. */
export async function post(
  gateway: string,
  key: string | undefined,
  body: string | Buffer,
  options: { readonly query?: string; readonly type?: string; readonly gzip?: boolean; readonly signal?: AbortSignal } = {},
): Promise<Answer<IngestAnswer>> {
  const response = await fetch(`${gateway}/v1/events${options.query ?? ''}`, {
    method: 'POST',
    headers: {
      'content-type': options.type ?? 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(options.gzip === true ? { 'content-encoding': 'gzip' } : {}),
    },
    body: options.gzip === true ? gzipSync(body) : body,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  return answerOf(response)
}

export const postEvents = (gateway: string, tenant: Tenant, events: unknown): Promise<Answer<IngestAnswer>> =>
  post(gateway, tenant.ingestKey, JSON.stringify(events))

export async function api<T>(
  gateway: string,
  token: string | undefined,
  path: string,
  init: { readonly method?: string; readonly body?: unknown } = {},
): Promise<Answer<T>> {
  const response = await fetch(`${gateway}${path}`, {
    method: init.method ?? 'GET',
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
  })
  return answerOf<T>(response)
}

/** Every alert of the tenant, newest first, page by page. */
export async function allAlerts(gateway: string, tenant: Tenant): Promise<Alert[]> {
  const items: Alert[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Answer<AlertPage> = await api(
      gateway,
      tenant.token,
      `/api/alerts?merged=true&limit=500${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    )
    if (page.status !== 200) throw new Error(`listing alerts: ${page.status} ${JSON.stringify(page.body)}`)
    items.push(...page.body.items)
    cursor = page.body.nextCursor
  }
  return items
}

export const alertOf = async (gateway: string, tenant: Tenant, id: string): Promise<AlertWithEvidence> =>
  (await api<AlertWithEvidence>(gateway, tenant.token, `/api/alerts/${id}`)).body

export const notificationsOf = async (gateway: string, tenant: Tenant, id: string): Promise<readonly NotificationEntry[]> =>
  (await api<{ items: NotificationEntry[] }>(gateway, tenant.token, `/api/alerts/${id}/notifications`)).body.items

export async function messages(mailbox: string): Promise<readonly MailboxMessage[]> {
  return ((await (await fetch(`${mailbox}/api/messages`)).json()) as { items: MailboxMessage[] }).items
}

/** A new organization, told by mail at `email` when given. */
export async function createTenant(
  gateway: string,
  operatorToken: string,
  name: string,
  body: object = {},
): Promise<OrganizationCreated> {
  const answer = await api<OrganizationCreated>(gateway, operatorToken, '/api/organizations', {
    method: 'POST',
    body: { name, settings: { notificationDelaysMs: { CRITICAL: 0, HIGH: 0, MEDIUM: 0, LOW: 0, INFO: 0 } }, ...body },
  })
  if (answer.status !== 201) throw new Error(`creating an organization: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

/** A socket on the gateway that keeps what it gets, in order. */
export interface Subscriber {
  readonly received: SocketMessage[]
  /** Position after the last message, for resuming. */
  cursor(): string | undefined
  readonly closed: Promise<number>
  close(): void
}

export async function subscribe(gateway: string, tenant: Tenant, cursor?: string): Promise<Subscriber> {
  const socket = new WebSocket(`${gateway.replace('http', 'ws')}/ws`, ['tocsin.v1', `bearer.${tenant.token}`])
  const received: SocketMessage[] = []
  const closed = new Promise<number>((resolve) => socket.on('close', resolve))
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    void closed.then((code) => reject(new Error(`closed with ${code} before it was subscribed`)))
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as SocketMessage
      received.push(message)
      if (message.type === 'hello')
        socket.send(
          JSON.stringify({
            type: 'subscribe',
            organizationId: tenant.organizationId,
            ...(cursor === undefined ? {} : { cursor }),
          }),
        )
      if (message.type === 'subscribed' || message.type === 'resync') resolve()
      if (message.type === 'error') reject(new Error(`${message.code}: ${message.message}`))
    })
  })
  return {
    received,
    cursor: () => received.findLast((message) => 'cursor' in message)?.cursor,
    closed,
    close: () => socket.close(),
  }
}

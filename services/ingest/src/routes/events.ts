import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { OPERATIONS_TABLE } from '@tocsin/contracts'
import { HttpProblem, isRetryable, RetryableError } from '@tocsin/errors'
import {
  FORMAT_NAMES,
  type Format,
  formatOf,
  isSizeFault,
  type PreparedItem,
  type PrepareOptions,
  UnreadableBody,
  zoneOf,
} from '@tocsin/formats'
import { type FailedAttempts, type HttpServer, PROBLEM_TYPE, route, tooManyRequests } from '@tocsin/http'
import type { KeyUse, TokenBuckets } from '@tocsin/redis'
import type { FastifyRequest } from 'fastify'
import { readBody, recognizeBody } from '../body.ts'
import type { IngestMetrics } from '../metrics.ts'
import { prepareInSlices } from '../prepare-in-slices.ts'
import type { Receive } from '../receive.ts'
import type { Sender, Tenants } from '../tenants.ts'

export interface EventsRoute {
  readonly tenants: Tenants
  readonly failedKeys: FailedAttempts
  readonly keyUse: Pick<KeyUse, 'note'>
  readonly rateLimit: TokenBuckets
  readonly receive: Receive
  readonly metrics: IngestMetrics
  readonly isReady: () => boolean
  readonly isDraining: () => boolean
  /** ms since 1970. */
  readonly now: () => number
}

const RETRY_SECONDS = 2
const STATUS_OF_UNREADABLE = { EMPTY: 400, MALFORMED: 400, TOO_MANY_ITEMS: 413 } as const

const unavailable = (detail: string) =>
  new HttpProblem(503, 'UNAVAILABLE', detail, { headers: { 'retry-after': String(RETRY_SECONDS) } })

/** `POST /v1/events`; answers as events.md §3 says. */
export function eventsRoute(app: HttpServer, by: EventsRoute): void {
  // Bodies are read by body.ts under its own limits, after the key was checked.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))
  app.addHook('onRequest', (_request, _reply, done) => {
    by.metrics.underWay.inc()
    done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    // Else a connection that was busy when the server closed is kept alive, and the stop waits for its end.
    if (by.isDraining()) reply.header('connection', 'close')
    done(null, payload)
  })
  app.addHook('onResponse', (_request, reply, done) => {
    by.metrics.underWay.dec()
    by.metrics.requests.inc({ status: String(reply.statusCode) })
    by.metrics.receiveSeconds.observe(reply.elapsedTime / 1000)
    done()
  })

  route(app, OPERATIONS_TABLE.postEvents, async ({ query, request, reply }) => {
    if (!by.isReady()) throw unavailable('Ingest is starting: rules and organizations are being read.')
    const sender = await authenticate(request, by)
    const format = formatNamed(query.format)
    if (query.zone !== undefined && zoneOf(query.zone) === undefined)
      throw new HttpProblem(400, 'INVALID_REQUEST', `querystring/zone ${query.zone} is no IANA time zone.`)
    const bytes = await readBody((request.body ?? request.raw) as Readable, request.headers)
    const context = { organization: sender, now: by.now(), year: query.year, zone: query.zone }
    const items = await read(bytes, request.headers, format, context, sender)

    const waitMs = await by.rateLimit.take(sender.organizationId, items.length, sender.rate)
    if (waitMs > 0)
      throw tooManyRequests(
        'RATE_LIMITED',
        'This organization sends more events than it may; nothing of this request was taken.',
        waitMs,
      )
    const results = await by.receive({ via: 'http', sender, items }).catch((error: unknown) => {
      if (!isRetryable(error)) throw error
      request.log.warn({ reason: error.message }, 'events could not be written')
      throw unavailable('The events could not be written for certain. Send the request again: what was written counts once.')
    })

    if (results.some(({ status }) => status !== 'rejected'))
      return reply.code(202).type('application/json').send(JSON.stringify({ results }))
    // Nothing was taken: a problem that carries the results, so that a client needs to understand only one of the two.
    const oversize = results.length > 0 && results.every(({ errors }) => errors?.some(isSizeFault))
    const status = oversize ? 413 : 422
    const problem = {
      type: 'about:blank',
      title: oversize ? 'Too large' : 'Not acceptable as it is',
      status,
      code: oversize ? 'TOO_LARGE' : 'NOTHING_ACCEPTED',
      detail: results.length === 0 ? 'The request holds no event.' : 'No event of the request was accepted: see results.',
    }
    return reply
      .code(status)
      .type(PROBLEM_TYPE)
      .send(JSON.stringify({ ...problem, results }))
  })
}

async function authenticate(request: FastifyRequest, by: EventsRoute): Promise<Sender> {
  const key = keyOf(request.headers)
  const refuse = (detail: string) =>
    new HttpProblem(401, 'UNAUTHENTICATED', detail, { headers: { 'www-authenticate': 'Bearer realm="tocsin"' } })
  if (key === undefined) throw refuse('No ingest key. Send it as Authorization: Bearer KEY or x-api-key: KEY.')
  let sender = by.tenants.known(key)
  if (sender === undefined) {
    // Only wrong keys are held back: who shares an address with somebody guessing can still send.
    const waitMs = by.failedKeys.waitMs(request.ip)
    if (waitMs > 0) throw tooManyRequests('TOO_MANY_FAILED_KEYS', 'Too many wrong keys from this address.', waitMs)
    by.failedKeys.failed(request.ip)
    sender = await by.tenants.find(key).catch((error: unknown) => {
      by.failedKeys.forgive(request.ip)
      if (error instanceof RetryableError) throw unavailable('The key is not known here, and new ones cannot be read at present.')
      throw error
    })
    if (sender === undefined) throw refuse('The ingest key is not known.')
    by.failedKeys.forgive(request.ip)
  }
  if (!sender.mayWrite) throw new HttpProblem(403, 'FORBIDDEN', 'This key may not write events (scope events:write).')
  by.keyUse.note(sender.keyId)
  return sender
}

/** Scheme names are case-insensitive (RFC 9110 §11.1). */
function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  return bearer ?? textOf(headers['x-api-key'])
}

const textOf = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' && header !== '' ? header : undefined

function formatNamed(name: string | undefined): Format | undefined {
  if (name === undefined) return undefined
  const format = formatOf(name)
  if (format !== undefined) return format
  const detail = `The format is not known. Known are ${FORMAT_NAMES.join(', ')}.`
  throw new HttpProblem(400, 'UNKNOWN_FORMAT', detail, { extra: { errors: [{ code: 'UNKNOWN_FORMAT', pointer: '', detail }] } })
}

async function read(
  bytes: Buffer,
  headers: IncomingHttpHeaders,
  named: Format | undefined,
  context: PrepareOptions['context'],
  sender: Sender,
): Promise<PreparedItem[]> {
  try {
    const { body, format } = recognizeBody(bytes, headers, named)
    return await prepareInSlices({
      body,
      format,
      context,
      boundSource: sender.boundSource,
      traceparent: textOf(headers['traceparent']),
    })
  } catch (error) {
    if (!(error instanceof UnreadableBody)) throw error
    throw new HttpProblem(
      STATUS_OF_UNREADABLE[error.code],
      error.code === 'TOO_MANY_ITEMS' ? 'TOO_LARGE' : error.code,
      error.message,
    )
  }
}

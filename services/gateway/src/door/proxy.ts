import type { IncomingMessage } from 'node:http'
import proxy from '@fastify/http-proxy'
import { HttpProblem } from '@tocsin/errors'
import type { HttpServer } from '@tocsin/http'
import type { GatewayConfig } from '../config.ts'
import type { GatewayMetrics } from '../metrics.ts'
import type { BrowserSessions } from './browser-session.ts'
import { forwardedHeaders } from './forwarded-headers.ts'

export type Upstream = 'ingest' | 'persistence' | 'notifier'

/** A body is streamed and never held, so the limits are those of the services; this one ends what no service takes. */
const MAX_EVENTS_BYTES = 32 * 1_048_576
const MAX_API_BYTES = 1_048_576
const CONNECT_MS = 2_000
const ANSWER_MS = 60_000
const RETRY_AFTER_SECONDS = 2
const NOTIFICATIONS = /^\/api\/alerts\/[^/]+\/notifications\/?$/

const pathOf = (request: { readonly raw: { readonly url?: string | undefined } }) =>
  (request.raw.url ?? '').split('?', 1)[0] ?? ''
/** The service that answers a path under /api or /v1. */
export function upstreamOf(path: string): Upstream {
  if (path.startsWith('/v1/')) return 'ingest'
  return NOTIFICATIONS.test(path) ? 'notifier' : 'persistence'
}

/** Passes /api and /v1 on to the services. */
export async function registerProxy(
  app: HttpServer,
  deps: {
    readonly config: GatewayConfig
    readonly sessions: BrowserSessions
    readonly metrics: GatewayMetrics
    readonly onAway: (service: Upstream) => void
  },
): Promise<void> {
  const { config, sessions, metrics } = deps
  const publicUrl = new URL(config.PUBLIC_URL)
  const urls: Record<Upstream, string> = {
    ingest: config.INGEST_URL,
    persistence: config.PERSISTENCE_URL,
    notifier: config.NOTIFIER_URL,
  }

  const passOn = (prefix: '/api' | '/v1', maxBytes: number) =>
    app.register(proxy, {
      upstream: '',
      prefix,
      rewritePrefix: prefix,
      disableRequestLogging: true,
      undici: {
        connections: 128,
        pipelining: 1,
        connect: { timeout: CONNECT_MS },
        headersTimeout: ANSWER_MS,
        bodyTimeout: ANSWER_MS,
      },
      preHandler: (request, _reply, done) => {
        const length = Number(request.headers['content-length'] ?? 0)
        if (length > maxBytes) return done(new HttpProblem(413, 'TOO_LARGE', `A body here is at most ${maxBytes} bytes.`))
        // Ingest takes keys only; a bearer token was sent on purpose and needs no cookie.
        if (
          prefix === '/api' &&
          request.headers.authorization === undefined &&
          sessions.tokenOf(request.headers.cookie) !== undefined
        ) {
          try {
            sessions.guardWrite(request)
          } catch (error) {
            return done(error as Error)
          }
        }
        done()
      },
      replyOptions: {
        getUpstream: (request) => urls[upstreamOf(pathOf(request))],
        // A 503 is the service's answer, not ours to repeat.
        retryDelay: () => null,
        rewriteRequestHeaders: (request, headers) =>
          forwardedHeaders(headers, {
            remoteAddress: request.ip,
            publicUrl,
            method: request.method,
            bearer:
              prefix === '/api' && headers['authorization'] === undefined ? sessions.tokenOf(request.headers.cookie) : undefined,
          }),
        rewriteHeaders: (headers, request) => {
          metrics.proxied.inc({ upstream: upstreamOf(pathOf(request as { readonly raw: IncomingMessage })), outcome: 'answered' })
          return { 'cache-control': 'no-store', ...headers }
        },
        onError: (reply, { error }) => {
          const upstream = upstreamOf(pathOf(reply.request))
          metrics.proxied.inc({ upstream, outcome: 'away' })
          deps.onAway(upstream)
          reply.request.log.warn({ upstream, reason: error.message }, 'service is away')
          reply.send(
            new HttpProblem(503, 'UPSTREAM_AWAY', `The service ${upstream} is away. Nothing was confirmed; try again.`, {
              headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
              extra: { service: upstream },
            }),
          )
        },
      },
    })

  await passOn('/api', MAX_API_BYTES)
  await passOn('/v1', MAX_EVENTS_BYTES)
}

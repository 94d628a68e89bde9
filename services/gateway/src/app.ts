import { fastifyCookie } from '@fastify/cookie'
import { followKeyRing, maskAlert, openCursor, type StreamPosition, sealCursor } from '@tocsin/access'
import type { Alert } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { createHttpServer, listen, tooManyRequests, trustedProxies } from '@tocsin/http'
import { createKafka } from '@tocsin/kafka'
import { createReadiness, type Running } from '@tocsin/lifecycle'
import { connectRedis, createTokenBuckets } from '@tocsin/redis'
import { type Logger, startTelemetry } from '@tocsin/telemetry'
import type { FastifyRequest } from 'fastify'
import { Registry } from 'prom-client'
import { type GatewayConfig, oidcOf } from './config.ts'
import { registerApiDocs } from './door/api-docs.ts'
import { createBrowserSessions } from './door/browser-session.ts'
import { registerDashboard } from './door/dashboard-files.ts'
import { registerOidc } from './door/oidc.ts'
import { registerProxy } from './door/proxy.ts'
import { registerSignIn } from './door/sign-in.ts'
import { createSignInReport } from './door/sign-in-report.ts'
import { createMetrics } from './metrics.ts'
import { createSocketServer } from './socket/socket-server.ts'
import { AlertStream } from './stream/alert-stream.ts'
import type { Change } from './stream/change.ts'
import { followDirectories } from './stream/directories.ts'
import { createLookup } from './stream/persistence-client.ts'

/** An upload in flight may take long; a slow client is ended by the connection's own limit. */
const REQUEST_TIMEOUT_MS = 300_000
const DRAIN_MS = 5_000
const EVICT_EVERY_MS = 10_000
/** A service that could not be reached counts as away for so long after the last failure: nobody may ask it again for hours. */
const AWAY_MS = 30_000

export interface Gateway extends Running {
  readonly port: number
  readonly metricsPort: number
  /** Resolves when sockets are accepted. */
  readonly ready: Promise<void>
}

/** Wires the gateway and listens. Rejects when a port is taken or the key ring cannot be read; everything else is waited for. */
export async function createGateway(config: GatewayConfig, deps: { readonly log: Logger }): Promise<Gateway> {
  const { log } = deps
  const registry = new Registry()
  const metrics = createMetrics(registry)
  const readiness = createReadiness()
  const oidc = oidcOf(config)
  const keyFile = await followKeyRing(config.KEYS_FILE, {
    onFault: (reason) => log.error({ reason }, 'the changed key file cannot be used: the one before it stays in force'),
  })
  const { ring } = keyFile
  const redis = connectRedis(config.REDIS_URL, { name: 'gateway', log, onChange: (up) => readiness.degrade('redis', !up) })
  const kafka = createKafka({
    brokers: config.KAFKA_BROKERS,
    clientId: 'gateway',
    prefix: config.KAFKA_TOPIC_PREFIX,
    log,
    registry,
  })
  const sessions = createBrowserSessions(ring, config.PUBLIC_URL)
  const awaySince = new Map<string, number>()
  const isReady = () => readiness.current().status === 'ready'

  const directories = followDirectories({ kafka, log, onAccess: (subject) => sockets.recheck(subject) })
  const stream = new AlertStream({
    kafka,
    log,
    maxBytes: config.RING_MAX_BYTES,
    maxAgeMs: config.RING_MAX_AGE_MS,
    maxCachedAlerts: config.MAX_CACHED_ALERTS,
    lookup: createLookup({
      persistenceUrl: config.PERSISTENCE_URL,
      ring,
      log,
      onAnswer: (answer) => {
        metrics.lookups.inc({ answer })
        if (answer === 'away') awaySince.set('persistence', Date.now())
      },
    }),
    onChange: (organizationId) => {
      metrics.ringBytes.set(stream.ringBytes)
      sockets.wake(organizationId)
    },
    onRecord: (what) => metrics.records.inc({ what }),
    onPaused: (partition) => readiness.degrade(`alerts:${partition}:unknown-type`, true),
  })
  const sockets = createSocketServer({
    log,
    ring,
    sessions,
    access: directories.access,
    isReady,
    maxSockets: config.MAX_SOCKETS,
    maxSocketsPerSubject: config.MAX_SOCKETS_PER_SUBJECT,
    metrics,
    session: {
      stream,
      access: directories.access,
      partitionOf: directories.partitionOf,
      refresh: directories.refresh,
      seal: lastSealed((position) => sealCursor(ring, position)),
      open: (cursor) => openCursor(ring, cursor),
      textOf: lastMasked(),
      clock: Date.now,
      told: (type, change) => {
        metrics.frames.inc({ type })
        metrics.toSocket.observe(Math.max(0, Date.now() - change.at) / 1000)
      },
    },
  })

  const app = createHttpServer({
    log,
    settings: {
      requestTimeout: REQUEST_TIMEOUT_MS,
      forceCloseConnections: 'idle',
      trustProxy: trustedProxies(config.TRUSTED_PROXIES),
    },
  })
  // Its parser, which browser-session.ts uses, is there once it is registered; its hooks are not needed.
  await app.register(fastifyCookie, { hook: false })
  await registerProxy(app, { config, sessions, metrics, onAway: (service) => awaySince.set(service, Date.now()) })
  const signIns = createTokenBuckets({
    redis,
    keyPrefix: `${config.KAFKA_TOPIC_PREFIX}signins:`,
    rate: { perSecond: config.SIGN_INS_PER_MINUTE / 60, burst: config.SIGN_INS_PER_MINUTE },
    clock: () => performance.now(),
  })
  const accountSignIns = createTokenBuckets({
    redis,
    keyPrefix: `${config.KAFKA_TOPIC_PREFIX}accounts:`,
    rate: { perSecond: config.ACCOUNT_SIGN_INS_PER_MINUTE / 60, burst: config.ACCOUNT_SIGN_INS_PER_MINUTE },
    clock: () => performance.now(),
  })
  const signingIn = {
    ring,
    access: directories.access,
    isReady,
    sessions,
    sessionHours: config.SESSION_HOURS,
    accountWaitMs: (subject: string) => accountSignIns.take(subject, 1),
    tell: createSignInReport({ persistenceUrl: config.PERSISTENCE_URL, ring }),
    limit: async (request: FastifyRequest) => {
      const waitMs = await signIns.take(`${request.routeOptions.url}:${request.ip}`, 1)
      if (waitMs > 0) throw tooManyRequests('TOO_MANY_SIGN_INS', 'Too many attempts to sign in from this address.', waitMs)
    },
  }
  registerSignIn(app, { ...signingIn, redis, prefix: config.KAFKA_TOPIC_PREFIX, hasOidc: oidc !== null })
  if (oidc !== null) registerOidc(app, { ...signingIn, settings: oidc, publicUrl: config.PUBLIC_URL })
  registerApiDocs(app)
  await registerDashboard(app, config.DASHBOARD_DIR)
  app.get('/ws', async () => {
    throw new HttpProblem(426, 'UPGRADE_REQUIRED', 'This address is a WebSocket: tocsin.v1.', {
      headers: { upgrade: 'websocket' },
    })
  })
  app.server.on('upgrade', (request, socket, head) => {
    if (request.url?.split('?', 1)[0] === '/ws') sockets.upgrade(request, socket, head)
    else socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  })

  const ready = Promise.all([directories.caughtUp, stream.filled]).then(() => {
    readiness.ready()
    log.info({ ringBytes: stream.ringBytes }, 'gateway is ready')
  })
  // Both wait for as long as it takes; they reject only when the gateway is stopped first.
  ready.catch((error: unknown) => log.info({ err: error }, 'stopped before it was ready'))
  const evicting = setInterval(() => stream.evict(), EVICT_EVERY_MS)
  const current = () => {
    readiness.degrade('kafka', !(stream.isUp() && directories.isUp()))
    for (const [service, at] of awaySince) readiness.degrade(service, Date.now() - at < AWAY_MS)
    const { status, degraded } = readiness.current()
    return { status, degraded: [...degraded, ...stream.degraded(), ...directories.degraded()] }
  }
  const port = await listen(app, config.HOST, config.PORT)
  const telemetry = await startTelemetry({
    name: 'gateway',
    host: config.HOST,
    port: config.METRICS_PORT,
    registry,
    ready: current,
    log,
  })
  log.info({ port, publicUrl: config.PUBLIC_URL }, 'gateway listens')

  return {
    port,
    metricsPort: telemetry.port,
    ready,
    stop: async () => {
      readiness.draining()
      clearInterval(evicting)
      await sockets.close()
      const cut = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS)
      await app.close()
      clearTimeout(cut)
      await Promise.all([stream.stop(), directories.stop()])
      await kafka.close()
      await redis.close()
      await telemetry.close()
      keyFile.stop()
    },
  }
}

/** The change's alert as JSON. Many sockets are told the same change one after the other: it is masked once. */
function lastMasked(): (change: Change, masked: boolean) => string {
  let last: { readonly change: Change; readonly text: string } | null = null
  return (change, masked) => {
    if (!masked) return change.alert
    if (last?.change !== change) last = { change, text: JSON.stringify(maskAlert(JSON.parse(change.alert) as Partial<Alert>)) }
    return last.text
  }
}

/** Many sockets are told the same change one after the other: its cursor is sealed once. */
function lastSealed(seal: (position: StreamPosition) => string): (position: StreamPosition) => string {
  let last: { readonly position: StreamPosition; readonly text: string } | null = null
  return (position) => {
    if (last?.position.offset !== position.offset || last.position.organizationId !== position.organizationId)
      last = { position, text: seal(position) }
    return last.text
  }
}

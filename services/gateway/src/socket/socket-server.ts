/**
 * The WebSocket at /ws: handshake, limits, heartbeats, and the sessions' link to the network.
 *
 * 1. No socket is accepted before the ring is filled.
 * 2. A connection without a valid token is refused in the handshake; a subject has a bounded number of sockets.
 * 3. A peer that answers no ping, takes no bytes or sends too much is closed; what it costs until then is bounded.
 */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type AccessDirectory, type KeyRing, type VerifiedToken, verifyToken } from '@tocsin/access'
import { HttpProblem } from '@tocsin/errors'
import { PROBLEM_TYPE, problemOf } from '@tocsin/http'
import type { Logger } from '@tocsin/telemetry'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { BrowserSessions } from '../door/browser-session.ts'
import type { GatewayMetrics } from '../metrics.ts'
import { CLOSE, type CloseKind } from './close-codes.ts'
import { credentials, selectProtocol } from './handshake.ts'
import { Session, type SessionDeps, type Wire } from './session.ts'

/** A subscribe message with full filters and a cursor is below 4 KiB. */
const MAX_MESSAGE_BYTES = 16 * 1024
const TICK_MS = 1_000
const PING_EVERY_MS = 25_000
const PONG_WITHIN_MS = 20_000
/** A closed peer may still read its last bytes for so long. */
const LINGER_MS = 5_000

interface Connection {
  readonly session: Session
  readonly socket: WebSocket
  pingedAt: number
  awaitingPong: boolean
  /** Set when we closed it. */
  closedAt: number | null
}

export interface SocketServer {
  /** The 'upgrade' event of the HTTP server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** An organization has a new change. */
  wake(organizationId: string): void
  /** A subject's access may have changed. */
  recheck(subject: string): void
  readonly open: number
  /** Closes all with 1001. */
  close(): Promise<void>
}

export function createSocketServer(deps: {
  readonly log: Logger
  readonly ring: KeyRing
  readonly sessions: BrowserSessions
  readonly access: Pick<AccessDirectory, 'of' | 'admit'>
  readonly session: SessionDeps
  readonly isReady: () => boolean
  readonly maxSockets: number
  readonly maxSocketsPerSubject: number
  readonly metrics: GatewayMetrics
}): SocketServer {
  const { log, ring, sessions, metrics } = deps
  const { clock } = deps.session
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: selectProtocol,
  })
  const connections = new Set<Connection>()
  const bySubject = new Map<string, number>()
  const listeners = new Map<string, Set<Session>>()
  let closing = false

  const accept = async (request: IncomingMessage): Promise<VerifiedToken> => {
    if (closing || !deps.isReady())
      throw new HttpProblem(503, 'NOT_READY', 'The gateway is not ready.', { headers: { 'retry-after': '1' } }) // 1
    if (connections.size >= deps.maxSockets)
      throw new HttpProblem(503, 'TOO_MANY_SOCKETS', 'No more sockets here.', { headers: { 'retry-after': '5' } })
    const found = credentials(
      {
        protocols: (request.headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim()),
        authorization: request.headers.authorization,
        cookieToken: sessions.tokenOf(request.headers.cookie),
        origin: request.headers.origin,
      },
      sessions.origin,
    )
    if (found.kind === 'refused') throw new HttpProblem(found.status, found.code, found.detail)
    const token = await verifyToken(ring, found.token) // 2
    deps.access.admit(token)
    if ((bySubject.get(token.subject) ?? 0) >= deps.maxSocketsPerSubject)
      throw new HttpProblem(429, 'TOO_MANY_SOCKETS', `At most ${deps.maxSocketsPerSubject} sockets for one subject.`, {
        headers: { 'retry-after': '30' },
      })
    return token
  }

  const connect = (socket: WebSocket, token: VerifiedToken) => {
    let connection: Connection
    let listening: string | undefined
    const wire: Wire = {
      listen: (organizationId) => {
        const { session } = connection
        const left = listeners.get(listening ?? '')
        if (left?.delete(session) === true && left.size === 0) listeners.delete(listening ?? '')
        listening = organizationId
        if (organizationId === undefined) return
        const joined = listeners.get(organizationId) ?? new Set()
        listeners.set(organizationId, joined.add(session))
      },
      get bufferedBytes() {
        return socket.bufferedAmount
      },
      send: (frame, sent) => {
        if (socket.readyState === socket.OPEN) socket.send(frame, (error) => (error ? undefined : sent()))
      },
      close: (kind) => end(connection, kind),
    }
    const session = new Session(wire, token, deps.session)
    connection = { session, socket, pingedAt: clock(), awaitingPong: false, closedAt: null }
    connections.add(connection)
    bySubject.set(token.subject, (bySubject.get(token.subject) ?? 0) + 1)
    metrics.sockets.set(connections.size)

    socket.on('message', (data: RawData, isBinary: boolean) => {
      if (isBinary) end(connection, 'textOnly')
      else void session.receive(String(data))
    })
    socket.on('pong', () => {
      connection.awaitingPong = false
    })
    // Bad UTF-8 (1007), an oversized frame (1009) and the like: ws has closed it, 'close' follows.
    socket.on('error', (error) => log.debug({ reason: error.message }, 'socket failed'))
    socket.on('close', () => {
      session.ended()
      connections.delete(connection)
      const left = (bySubject.get(token.subject) ?? 1) - 1
      if (left > 0) bySubject.set(token.subject, left)
      else bySubject.delete(token.subject)
      metrics.sockets.set(connections.size)
    })
  }

  const end = (connection: Connection, kind: CloseKind) => {
    if (connection.closedAt !== null) return
    connection.closedAt = clock()
    connection.session.ended()
    metrics.closes.inc({ reason: kind })
    connection.socket.close(CLOSE[kind].code, CLOSE[kind].reason)
  }

  const tick = () => {
    const now = clock()
    for (const connection of connections) {
      const { session, socket, closedAt } = connection
      session.tick(now)
      if (closedAt !== null && now - closedAt > LINGER_MS) socket.terminate()
      else if (connection.awaitingPong && now - connection.pingedAt > PONG_WITHIN_MS) {
        metrics.closes.inc({ reason: 'noPong' })
        socket.terminate() // 3
      } else if (!connection.awaitingPong && now - connection.pingedAt > PING_EVERY_MS && closedAt === null) {
        connection.pingedAt = now
        connection.awaitingPong = true
        socket.ping()
      }
    }
  }
  const timer = setInterval(tick, TICK_MS)

  return {
    upgrade: (request, socket, head) => {
      socket.on('error', () => socket.destroy())
      accept(request)
        .then((token) => server.handleUpgrade(request, socket, head, (opened) => connect(opened, token)))
        .catch((error: unknown) => refuse(socket, error))
    },
    wake: (organizationId) => {
      for (const session of listeners.get(organizationId) ?? []) session.wake()
    },
    recheck: (subject) => {
      for (const { session } of connections) if (session.token.subject === subject) session.recheck()
    },
    get open() {
      return connections.size
    },
    close: async () => {
      closing = true
      clearInterval(timer)
      for (const connection of connections) end(connection, 'goingAway')
      await new Promise<void>((resolve) => setTimeout(resolve, connections.size === 0 ? 0 : 200))
      for (const { socket } of connections) socket.terminate()
    },
  }
}

/** Answers a handshake with an RFC 9457 problem and closes. */
function refuse(socket: Duplex, error: unknown): void {
  const { status, headers, body } = problemOf(error)
  const text = JSON.stringify(body)
  const lines = Object.entries({
    ...headers,
    'content-type': PROBLEM_TYPE,
    'content-length': String(Buffer.byteLength(text)),
    connection: 'close',
  })
  socket.end(`HTTP/1.1 ${status} ${body.title}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text}`)
}

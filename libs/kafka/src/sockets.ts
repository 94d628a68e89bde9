import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ISocketFactory } from 'kafkajs'

const KEEP_ALIVE_MS = 60_000
/** kafkajs-logs.ts knows it by this text. */
const GIVEN_UP = 'the client was given up'

/** The connections of one kafkajs client: so that a client that was given up can be kept from writing anything later. */
export interface Sockets {
  readonly factory: ISocketFactory
  /** Cuts all connections, and any that the client opens from now on. */
  destroy(): void
}

export function createSockets(): Sockets {
  const open = new Set<Socket>()
  let destroyed = false
  return {
    factory: ({ host, port, ssl, onConnect }) => {
      const socket = ssl
        ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
        : connect({ host, port }, onConnect)
      socket.setKeepAlive(true, KEEP_ALIVE_MS)
      open.add(socket)
      socket.once('close', () => open.delete(socket))
      // On the next tick: kafkajs puts its listeners on the socket after this returns.
      if (destroyed) process.nextTick(() => socket.destroy(new Error(GIVEN_UP)))
      return socket
    },
    destroy: () => {
      destroyed = true
      for (const socket of open) socket.destroy(new Error(GIVEN_UP))
    },
  }
}

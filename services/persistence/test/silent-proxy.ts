import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Stands between a service and PostgreSQL, and forwards nothing once it is told to: a connection that is neither alive nor closed. */
export interface SilentProxy {
  /** The same database and role, through the proxy. */
  readonly through: (url: string) => string
  readonly setSilent: (silent: boolean) => void
  readonly close: () => Promise<void>
}

/** `target`: URL whose host and port are forwarded to. */
export async function startSilentProxy(target: string): Promise<SilentProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let silent = false
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('data', (data) => silent || to.write(data))
      from.on('close', () => to.destroy()).on('error', () => {})
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const own = server.address() as AddressInfo
  return {
    through: (url) => {
      const changed = new URL(url)
      changed.hostname = '127.0.0.1'
      changed.port = String(own.port)
      return changed.href
    },
    setSilent: (value) => {
      silent = value
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

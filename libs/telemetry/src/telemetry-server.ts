import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { collectDefaultMetrics, type Registry } from 'prom-client'
import type { Logger } from './logger.ts'

/**
 * `ready` once schema, topics and compacted state are there; after that a lost dependency is `degraded`, not unready: else
 * every instance would leave at once and nobody could answer 503 or show the incident (design §8).
 */
export interface Readiness {
  readonly status: 'starting' | 'ready' | 'draining'
  readonly degraded: readonly string[]
}

export interface Telemetry {
  readonly port: number
  close(): Promise<void>
}

/** Serves /metrics, /health/live and /health/ready on a port of its own. Rejects when the port is taken. */
export async function startTelemetry(options: {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly registry: Registry
  readonly ready: () => Readiness | Promise<Readiness>
  readonly log: Logger
}): Promise<Telemetry> {
  const { registry, ready, log } = options
  registry.setDefaultLabels({ service: options.name })
  collectDefaultMetrics({ register: registry })
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string) => response.writeHead(status, { 'content-type': type }).end(body)
    const path = request.url?.split('?')[0]
    const handle = async () => {
      if (path === '/metrics') return answer(200, registry.contentType, await registry.metrics())
      if (path === '/health/live') return answer(200, 'application/json', '{"status":"live"}')
      if (path === '/health/ready') {
        const readiness = await ready()
        return answer(
          readiness.status === 'ready' ? 200 : 503,
          'application/json',
          JSON.stringify({ service: options.name, ...readiness }),
        )
      }
      return answer(404, 'text/plain', 'Not here. Try /metrics, /health/live or /health/ready.\n')
    }
    handle().catch((error: unknown) => {
      log.error({ err: error, path }, 'telemetry request failed')
      answer(500, 'text/plain', 'failed, see the log\n')
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options.port, options.host, resolve))
  const port = (server.address() as AddressInfo).port
  log.info({ port }, 'telemetry listens')
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

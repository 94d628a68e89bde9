import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface GatewayMetrics {
  readonly sockets: Gauge
  readonly ringBytes: Gauge
  readonly closes: Counter<'reason'>
  readonly frames: Counter<'type'>
  readonly records: Counter<'what'>
  readonly lookups: Counter<'answer'>
  readonly proxied: Counter<'upstream' | 'outcome'>
  readonly toSocket: Histogram
}

/** No label holds an organization, a subject or an alert. */
export function createMetrics(registry: Registry): GatewayMetrics {
  const registers = [registry]
  return {
    sockets: new Gauge({ name: 'tocsin_gateway_sockets', help: 'Open sockets', registers }),
    ringBytes: new Gauge({ name: 'tocsin_gateway_ring_bytes', help: 'Estimated bytes of changes kept for resuming', registers }),
    closes: new Counter({
      name: 'tocsin_gateway_socket_closes_total',
      help: 'Sockets closed by the gateway',
      labelNames: ['reason'],
      registers,
    }),
    frames: new Counter({
      name: 'tocsin_gateway_messages_total',
      help: 'Messages sent to sockets',
      labelNames: ['type'],
      registers,
    }),
    records: new Counter({
      name: 'tocsin_gateway_records_total',
      help: 'Records read from alerts',
      labelNames: ['what'],
      registers,
    }),
    lookups: new Counter({
      name: 'tocsin_gateway_lookups_total',
      help: 'Questions to persistence for a missing half',
      labelNames: ['answer'],
      registers,
    }),
    proxied: new Counter({
      name: 'tocsin_gateway_proxied_requests_total',
      help: 'Requests passed on, by service and outcome (answered, away)',
      labelNames: ['upstream', 'outcome'],
      registers,
    }),
    toSocket: new Histogram({
      name: 'tocsin_gateway_to_socket_seconds',
      help: 'From the append to alerts to the hand-over to a socket; resumed changes included',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
      registers,
    }),
  }
}

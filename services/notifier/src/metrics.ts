import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** No label names an organization, destination or alert (design §8). */
export function createMetrics(registry: Registry) {
  const registers = [registry]
  return {
    records: new Counter({
      name: 'tocsin_notifier_records_total',
      help: 'Records of alerts, by what became of them',
      labelNames: ['outcome'],
      registers,
    }),
    deliveries: new Counter({
      name: 'tocsin_deliveries_total',
      help: 'Deliveries by channel and what became of an attempt: accepted, again, failed, cancelled',
      labelNames: ['channel', 'outcome'],
      registers,
    }),
    sendSeconds: new Histogram({
      name: 'tocsin_delivery_attempt_seconds',
      help: 'Duration of an attempt',
      labelNames: ['channel'],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    tellSeconds: new Histogram({
      name: 'tocsin_event_to_told_seconds',
      help: 'From the event that opened an alert to the first delivery accepted, delay of its route included',
      labelNames: ['severity'],
      buckets: [0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 86_400],
      registers,
    }),
    openBreakers: new Gauge({
      name: 'tocsin_breakers_open',
      help: 'Destinations whose breaker is not closed, on this instance',
      registers,
    }),
    waiting: new Gauge({
      name: 'tocsin_deliveries_waiting',
      help: 'Deliveries that are due and not yet made, over all instances',
      registers,
    }),
    oldestWaiting: new Gauge({
      name: 'tocsin_deliveries_oldest_seconds',
      help: 'Age of the oldest delivery that is due',
      registers,
    }),
  }
}

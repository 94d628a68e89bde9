import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export interface PersistenceMetrics {
  readonly registry: Registry
  readonly applySeconds: Histogram
  readonly actions: Counter<'action' | 'outcome'>
  readonly published: Counter<'topic'>
  readonly outboxRows: Gauge
  readonly outboxOldestSeconds: Gauge
  readonly sealed: Counter
  readonly unsealedOldestSeconds: Gauge
  readonly keysToRewrap: Gauge
}

export function createMetrics(registry = new Registry()): PersistenceMetrics {
  const registers = [registry]
  return {
    registry,
    applySeconds: new Histogram({
      name: 'tocsin_persistence_apply_seconds',
      help: 'Time to store one batch of records of alerts',
      buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
      registers,
    }),
    actions: new Counter({
      name: 'tocsin_persistence_actions_total',
      help: 'What people did to alerts, by action and outcome (done, refused)',
      labelNames: ['action', 'outcome'],
      registers,
    }),
    published: new Counter({
      name: 'tocsin_outbox_published_total',
      help: 'Records that the outbox relay wrote, by topic',
      labelNames: ['topic'],
      registers,
    }),
    outboxRows: new Gauge({ name: 'tocsin_outbox_rows', help: 'Records that wait in the outbox', registers }),
    outboxOldestSeconds: new Gauge({
      name: 'tocsin_outbox_oldest_seconds',
      help: 'Age of the oldest record in the outbox',
      registers,
    }),
    sealed: new Counter({
      name: 'tocsin_history_sealed_total',
      help: 'Entries of the history that were chained',
      registers,
    }),
    unsealedOldestSeconds: new Gauge({
      name: 'tocsin_history_unsealed_oldest_seconds',
      help: 'Age of the oldest entry of the history that waits for its seal',
      registers,
    }),
    keysToRewrap: new Gauge({
      name: 'tocsin_data_keys_to_rewrap',
      help: 'Data keys of organizations that a replaced master key still wraps: 0 means that it can be retired',
      registers,
    }),
  }
}

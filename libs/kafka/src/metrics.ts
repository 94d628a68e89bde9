import { Counter, Gauge, Registry } from 'prom-client'

export type KafkaMetrics = ReturnType<typeof createMetrics>

/** Prometheus figures of this library; none has a label with an organization or an id. */
export function createMetrics(given: Registry | undefined) {
  const registry = given ?? new Registry()
  const registers = [registry]
  return {
    records: new Counter({
      name: 'tocsin_kafka_records_total',
      help: 'Records read, by what became of them',
      labelNames: ['consumer', 'topic', 'disposition'],
      registers,
    }),
    produced: new Counter({
      name: 'tocsin_kafka_produced_records_total',
      help: 'Records acknowledged by the broker',
      labelNames: ['topic'],
      registers,
    }),
    produceFailures: new Counter({
      name: 'tocsin_kafka_produce_failures_total',
      help: 'Requests to the broker that failed',
      registers,
    }),
    partitions: new Gauge({
      name: 'tocsin_kafka_partitions',
      help: 'Partitions held, by state: loading, reading, retrying, halted',
      labelNames: ['consumer', 'state'],
      registers,
    }),
    lag: new Gauge({
      name: 'tocsin_kafka_lag_records',
      help: 'Records not yet read in the partitions held',
      labelNames: ['consumer', 'topic'],
      registers,
    }),
    topicFaults: new Gauge({
      name: 'tocsin_kafka_topic_faults',
      help: '1 where a setting of an existing topic is not as wanted',
      labelNames: ['topic', 'setting'],
      registers,
    }),
  }
}

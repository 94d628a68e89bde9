import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export interface IngestMetrics {
  readonly registry: Registry
  readonly items: Counter<'via' | 'format' | 'status'>
  readonly rejections: Counter<'code'>
  readonly requests: Counter<'status'>
  readonly underWay: Gauge
  readonly receiveSeconds: Histogram
  readonly publishSeconds: Histogram
  readonly idConflicts: Counter
  readonly unlabelled: Counter
  readonly unreadableTenants: Counter
  readonly tenants: Gauge
  readonly ticks: Counter
}

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]

export function createMetrics(registry = new Registry()): IngestMetrics {
  const registers = [registry]
  return {
    registry,
    items: new Counter({
      name: 'tocsin_ingest_events_total',
      help: 'Events by way in (http, intake), format and status (accepted, duplicate, rejected)',
      labelNames: ['via', 'format', 'status'],
      registers,
    }),
    rejections: new Counter({
      name: 'tocsin_ingest_rejections_total',
      help: 'Faults of rejected items by code',
      labelNames: ['code'],
      registers,
    }),
    requests: new Counter({
      name: 'tocsin_ingest_requests_total',
      help: 'Requests to /v1/events by HTTP status',
      labelNames: ['status'],
      registers,
    }),
    underWay: new Gauge({ name: 'tocsin_ingest_requests_under_way', help: 'Requests to /v1/events being answered', registers }),
    receiveSeconds: new Histogram({
      name: 'tocsin_ingest_request_seconds',
      help: 'Time from the head of a request to its answer',
      buckets: SECONDS,
      registers,
    }),
    publishSeconds: new Histogram({
      name: 'tocsin_ingest_publish_seconds',
      help: 'Time until the broker had all events of a request',
      buckets: SECONDS,
      registers,
    }),
    idConflicts: new Counter({
      name: 'tocsin_ingest_id_conflicts_total',
      help: 'Events whose id was seen with another body',
      registers,
    }),
    unlabelled: new Counter({
      name: 'tocsin_ingest_unlabelled_total',
      help: 'Events accepted while Redis was away: repetitions among them are not told as duplicates',
      registers,
    }),
    unreadableTenants: new Counter({
      name: 'tocsin_ingest_unreadable_tenants_total',
      help: 'Records of topic tenants that do not fit their schema',
      registers,
    }),
    tenants: new Gauge({ name: 'tocsin_ingest_organizations', help: 'Organizations whose keys are known', registers }),
    ticks: new Counter({ name: 'tocsin_ingest_ticks_total', help: 'Ticks written', registers }),
  }
}

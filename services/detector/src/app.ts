import { createKafka, createProducer } from '@tocsin/kafka'
import { createReadiness, type Running } from '@tocsin/lifecycle'
import { type Logger, startTelemetry } from '@tocsin/telemetry'
import type { DetectorConfig } from './config.ts'
import { Detector } from './detector.ts'
import { createEngines } from './engines.ts'
import { createMetrics, type HeldFigures } from './metrics.ts'
import type { SnapshotWatch } from './snapshot-watch.ts'

/** Wires the service together; resolves when it is started, ready once its first partitions are recovered. */
export async function startDetector(config: DetectorConfig, log: Logger, signal: AbortSignal): Promise<Running> {
  let held: () => readonly HeldFigures[] = () => []
  let watch: SnapshotWatch | undefined
  const metrics = createMetrics(
    () => held(),
    () => watch,
  )
  const readiness = createReadiness()
  const kafka = createKafka({
    brokers: config.KAFKA_BROKERS,
    clientId: 'detector',
    prefix: config.KAFKA_TOPIC_PREFIX,
    log,
    registry: metrics.registry,
  })
  const producer = createProducer(kafka)
  const snapshotProducer = createProducer(kafka)
  const { engines, compile } = createEngines()
  const detector = new Detector({
    kafka,
    producer,
    snapshotProducer,
    engines,
    compile,
    pace: {
      minIntervalMs: config.SNAPSHOT_MIN_INTERVAL_MS,
      minRecords: config.SNAPSHOT_MIN_RECORDS,
      maxIntervalMs: config.SNAPSHOT_MAX_INTERVAL_MS,
    },
    metrics,
    log,
  })
  held = () =>
    detector.engines().map((engine) => ({
      counters: { ...engine.counters() },
      gauges: { ...engine.gauges() },
      logTime: engine.logTime(),
    }))
  watch = detector.watch
  let joined = false
  void detector.joined.then(() => {
    joined = true
  })
  const telemetry = await startTelemetry({
    name: 'detector',
    host: config.HOST,
    port: config.METRICS_PORT,
    registry: metrics.registry,
    log,
    ready: () => {
      if (joined && detector.recovered()) readiness.ready()
      readiness.degrade('kafka', !kafka.isUp())
      const { status, degraded } = readiness.current()
      return { status, degraded: [...degraded, ...detector.degraded()] }
    },
  })
  signal.addEventListener('abort', () => readiness.draining())
  return {
    stop: async () => {
      readiness.draining()
      await detector.stop()
      await Promise.all([producer.close(), snapshotProducer.close()])
      await kafka.close()
      await telemetry.close()
    },
  }
}

import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export type DetectorMetrics = ReturnType<typeof createMetrics>

/** Figures of one partition's engine, summed over the partitions held when /metrics is asked for. */
export interface HeldFigures {
  readonly counters: Readonly<Record<string, number>>
  readonly gauges: Readonly<Record<string, number>>
  /** 0 or null before the partition's first record. */
  readonly logTime: number | null
}

/** How old the newest snapshots are (snapshot-watch.ts). */
export interface SnapshotAges {
  oldestMs(): number | undefined
  overdue(): readonly number[]
}

export function createMetrics(held: () => readonly HeldFigures[], ages: () => SnapshotAges | undefined) {
  const registry = new Registry()
  const registers = [registry]
  const sum = (pick: (figures: HeldFigures) => Readonly<Record<string, number>>) => {
    const sums = new Map<string, number>()
    for (const figures of held())
      for (const [name, value] of Object.entries(pick(figures))) sums.set(name, (sums.get(name) ?? 0) + value)
    return sums
  }
  new Gauge({
    name: 'tocsin_detector_engine_count',
    help: "The engines' running totals in the partitions held, since each partition's first record: events, late, clockSkew, idConflict, those that limits cost (overCap, latenessShortened, groupEvicted), tooLate, …",
    labelNames: ['figure'],
    registers,
    collect() {
      this.reset()
      for (const [figure, value] of sum(({ counters }) => counters)) this.set({ figure }, value)
    },
  })
  new Gauge({
    name: 'tocsin_detector_engine_held',
    help: 'What the engines hold at present: organizations, groups, heldEvents, heldEvidence, openAlerts, exceptions in force',
    labelNames: ['figure'],
    registers,
    collect() {
      this.reset()
      for (const [figure, value] of sum(({ gauges }) => gauges)) this.set({ figure }, value)
    },
  })
  new Gauge({
    name: 'tocsin_detector_log_time_behind_seconds',
    help: 'Wall clock minus log time of the partition that is furthest behind',
    registers,
    collect() {
      const times = held().flatMap(({ logTime }) => (logTime === null || logTime === 0 ? [] : [logTime]))
      if (times.length > 0) this.set((Date.now() - Math.min(...times)) / 1_000)
    },
  })
  new Gauge({
    name: 'tocsin_detector_snapshot_age_seconds',
    help: 'Wall clock minus log time of the newest complete snapshot, of the partition held where that is the oldest',
    registers,
    collect() {
      const oldest = ages()?.oldestMs()
      if (oldest !== undefined) this.set(oldest / 1_000)
    },
  })
  new Gauge({
    name: 'tocsin_detector_snapshots_overdue',
    help: 'Partitions held whose newest snapshot is older than half of the retention of audit.events: a recovery may find a hole',
    registers,
    collect() {
      this.set(ages()?.overdue().length ?? 0)
    },
  })
  // Counted by hand: a labelled counter costs as much as parsing half an event.
  const counted = (name: string, help: string, label: string) => {
    const counts = new Map<string, number>()
    new Counter({
      name,
      help,
      labelNames: [label],
      registers,
      collect() {
        this.reset()
        for (const [value, count] of counts) this.inc({ [label]: value }, count)
      },
    })
    return (value: string, more: number) => void counts.set(value, (counts.get(value) ?? 0) + more)
  }
  return {
    registry,
    processed: counted('tocsin_detector_records_total', 'Records processed, by kind', 'kind'),
    changes: counted('tocsin_detector_alert_changes_total', 'Alert changes published, by type', 'type'),
    parsedEvents: new Counter({
      name: 'tocsin_detector_parsed_events_total',
      help: 'Events that the scanner declined, so that they were parsed and checked, which takes ten times as long',
      registers,
    }),
    deadLetters: new Counter({
      name: 'tocsin_detector_dead_letters_total',
      help: 'Records set aside, by code',
      labelNames: ['code'],
      registers,
    }),
    engineFailures: new Counter({
      name: 'tocsin_detector_engine_failures_total',
      help: 'Records at which the engine threw; its state was rebuilt',
      registers,
    }),
    snapshots: new Counter({
      name: 'tocsin_detector_snapshots_total',
      help: 'Snapshots, by how they ended',
      labelNames: ['outcome'],
      registers,
    }),
    snapshotBytes: new Gauge({ name: 'tocsin_detector_snapshot_bytes', help: 'Size of the last complete snapshot', registers }),
    snapshotCpu: new Gauge({
      name: 'tocsin_detector_snapshot_cpu_seconds',
      help: 'CPU time of the last complete snapshot',
      registers,
    }),
    snapshotSlice: new Gauge({
      name: 'tocsin_detector_snapshot_longest_slice_seconds',
      help: 'Longest slice of the last complete snapshot',
      registers,
    }),
    snapshotDuration: new Gauge({
      name: 'tocsin_detector_snapshot_duration_seconds',
      help: 'How long the last complete snapshot took from begin to end; snapshots of a process run one after the other',
      registers,
    }),
    refusedSnapshots: new Counter({
      name: 'tocsin_detector_snapshots_refused_total',
      help: 'Snapshots found damaged when a partition was taken',
      registers,
    }),
    recovery: new Histogram({
      name: 'tocsin_detector_recovery_seconds',
      help: 'From being given a partition to its first record',
      buckets: [0.1, 0.3, 1, 3, 10, 30, 100],
      registers,
    }),
  }
}

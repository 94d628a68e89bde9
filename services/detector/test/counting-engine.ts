import { createHash } from 'node:crypto'
import type { AlertChange, EngineRecord, SnapshotChunk, SnapshotWriter } from '@tocsin/engine'
import type { Engine, EngineMaker } from '../src/engine-port.ts'

/** Every so many events of a principal make a new revision of its alert. */
const EVENTS_PER_REVISION = 5

interface State {
  counts: Record<string, number>
  logTime: number | null
  /** Everything that a record can move, so that a record processed twice or left out shows. */
  records: number
  controls: string[]
}

/**
 * The smallest engine whose output depends on every record before: for tests of the shell that want to break the engine, or to see its state.
 * An event with the action `explode` makes it throw, after it has changed its state.
 */
export class CountingEngine implements Engine {
  readonly state: State

  constructor(state: State = { counts: {}, logTime: null, records: 0, controls: [] }) {
    this.state = state
  }

  process(record: EngineRecord): AlertChange[] {
    const { state } = this
    state.logTime = Math.max(state.logTime ?? 0, record.appendTime)
    if (record.kind === 'control') {
      const { control } = record
      if (control.kind !== 'organizationDeleted')
        state.controls.push(control.kind === 'rule' ? control.rule.ruleId : control.organization.slug)
      return []
    }
    state.records += 1
    if (record.kind !== 'event') return []
    const { organizationId, principalId = 'nobody', action } = record.event.event
    const group = `${organizationId} ${principalId}`
    const count = (state.counts[group] ?? 0) + 1
    state.counts[group] = count
    if (action === 'explode') throw new Error('the engine was asked to explode')
    if (count % EVENTS_PER_REVISION !== 0) return []
    const revision = count / EVENTS_PER_REVISION
    const id = createHash('sha256').update(group).digest('hex').slice(0, 32)
    const alert = { id, organizationId, revision, count, records: state.records, group: { principalId } }
    return [{ type: revision === 1 ? 'alert.created' : 'alert.revised', alert: alert as unknown as AlertChange['alert'] }]
  }

  beginSnapshot(): SnapshotWriter {
    const { counts, ...head } = structuredClone(this.state)
    const groups = Object.entries(counts)
    let headWritten = false
    return {
      next: (maxBytes): SnapshotChunk | null => {
        if (!headWritten) {
          headWritten = true
          return { kind: 'head', content: head, bytes: 100 } as unknown as SnapshotChunk
        }
        if (groups.length === 0) return null
        const content: unknown = groups.splice(0, Math.max(1, Math.floor(maxBytes / 60)))
        return { kind: 'groups', content, bytes: maxBytes } as SnapshotChunk
      },
      abandon: () => {},
    }
  }

  counters(): ReturnType<Engine['counters']> {
    return { events: this.state.records } as unknown as ReturnType<Engine['counters']>
  }
  gauges(): ReturnType<Engine['gauges']> {
    const groups = Object.keys(this.state.counts).length
    return { organizations: 0, groups, heldEvents: 0, heldEvidence: 0, openAlerts: 0, exceptions: 0 }
  }
  exceptionHits(): ReturnType<Engine['exceptionHits']> {
    return []
  }
  logTime(): number | null {
    return this.state.logTime
  }

  static *restoring(chunks: Iterable<SnapshotChunk>): Generator<void, CountingEngine> {
    const counts: State['counts'] = {}
    let head: Omit<State, 'counts'> | undefined
    for (const chunk of chunks) {
      if (chunk.kind === 'head') head = chunk.content as unknown as Omit<State, 'counts'>
      else for (const [group, count] of chunk.content as unknown as readonly [string, number][]) counts[group] = count
      yield
    }
    if (head === undefined) throw new Error('no head')
    return new CountingEngine({ ...head, counts })
  }
}

/** Keeps the engines that were made, so that a test can look into them. */
export function countingEngines(): EngineMaker & { readonly made: Map<number, CountingEngine> } {
  const made = new Map<number, CountingEngine>()
  const keep = (partition: number, engine: CountingEngine) => {
    made.set(partition, engine)
    return engine
  }
  return {
    version: 'counting',
    made,
    fresh: (partition) => keep(partition, new CountingEngine()),
    restoring: function* (partition, chunks) {
      return keep(partition, yield* CountingEngine.restoring(chunks))
    },
  }
}

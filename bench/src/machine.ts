import { cpus, loadavg, release, totalmem } from 'node:os'

const GIB = 2 ** 30

/** What the figures were measured on; without it they say nothing. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  readonly kafka: string
  /** Processes that wanted to run before the bench began, one minute's average: others' work. */
  readonly loadBefore: number
  /** Begun at, ISO 8601. */
  readonly at: string
}

/** To be called before anything is started. */
export function describeMachine(kafka: string): Machine {
  const all = cpus()
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / GIB),
    system: `${process.platform} ${release()}`,
    node: process.version,
    kafka,
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
    at: new Date().toISOString(),
  }
}

export const describe = ({ cpu, cores, memoryGiB, system, node, kafka, loadBefore, at }: Machine): string =>
  `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}, ${kafka}; load of the machine before it began ${loadBefore}; ${at}`

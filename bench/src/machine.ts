import { cpus, release, totalmem } from 'node:os'

const GIB = 2 ** 30

/** What the figures were measured on; without it they say nothing. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  readonly kafka: string
}

export function describeMachine(kafka: string): Machine {
  const all = cpus()
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / GIB),
    system: `${process.platform} ${release()}`,
    node: process.version,
    kafka,
  }
}

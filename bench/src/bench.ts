import type { Row } from './report.ts'

/** What every part of a bench is given. */
export interface BenchContext {
  readonly brokers: string
  /** Its content may be thrown away; empty unless peers are wanted. */
  readonly redisUrl: string
  /** A superuser's connection; of no use unless persistence is measured. */
  readonly databaseAdminUrl: string
  /** In the database of persistence's lists. */
  readonly alerts: number
  /** Of the largest log. */
  readonly events: number
  readonly rounds: number
  /** Folder of the peers' programs. */
  readonly peers: string
  /** Folder with `sigma` (stock rules) and `cloudtrail` (recorded events). */
  readonly data: string
  /** Path of rsigma; undefined: where cargo puts it. */
  readonly rsigma: string | undefined
  /** Folder for files; what is fetched or made there stays. */
  readonly local: string
  readonly wanted: (part: string) => boolean
  readonly say: (line: string) => void
}

/** One of a bench. */
export interface Part {
  /** By these it is asked for. */
  readonly names: readonly string[]
  readonly run: (context: BenchContext) => Promise<PartResult>
}

export interface PartResult {
  /** What was measured, in a sentence or two. */
  readonly what: string
  readonly rows: readonly Row[]
}

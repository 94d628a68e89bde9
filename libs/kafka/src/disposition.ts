import type { DeadCode } from '@tocsin/contracts'

/** What became of one record; acted on in one place (consumer.ts). */
export type Disposition =
  | { readonly kind: 'done' }
  /** Read and left out on purpose, for instance an older version of what is known. Counted by reason. */
  | { readonly kind: 'dropped'; readonly reason: string }
  /** Can never succeed: goes to `<topic>.dead`, then the offset moves on. */
  | { readonly kind: 'deadLettered'; readonly code: DeadCode; readonly reason: string }
  /** A dependency is away: the partition waits with back-off and continues with this record. */
  | { readonly kind: 'retry'; readonly error: unknown }
  /** Not understood by this release (unknown type): the partition stays paused and reports until a newer one runs. */
  | { readonly kind: 'halt'; readonly reason: string }

export const done: Disposition = { kind: 'done' }
export const dropped = (reason: string): Disposition => ({ kind: 'dropped', reason })
export const deadLettered = (code: DeadCode, reason: string): Disposition => ({ kind: 'deadLettered', code, reason })
export const retry = (error: unknown): Disposition => ({ kind: 'retry', error })
export const halt = (reason: string): Disposition => ({ kind: 'halt', reason })

import { randomBytes } from 'node:crypto'

const PATTERN = /^00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/

/** A new W3C trace context, sampled. */
export const newTraceparent = (): string => `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`

/** The next span of the same trace; a new trace when the parent is absent or malformed. */
export function childTraceparent(parent: string | undefined): string {
  const match = parent === undefined ? null : PATTERN.exec(parent)
  return match === null ? newTraceparent() : `00-${match[1]}-${randomBytes(8).toString('hex')}-${match[2]}`
}

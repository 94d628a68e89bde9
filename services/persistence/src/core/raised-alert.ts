import { createHash } from 'node:crypto'
import type { AlertFigures, FigureRecordType, RaiseAlert, RuleRef } from '@tocsin/contracts'
import { uuid5 } from '@tocsin/engine'

/** Namespace of raised alerts' ids. Fixed for ever, as the detector's is. */
const RAISED_NAMESPACE = Buffer.from('3a0b7f5291c45d0e8f6a5b2c8e7d1094', 'hex')
const MAX_SOURCE_CHARS = 50

/** What is raised, in whatever format it came. */
export interface Raised extends Omit<RaiseAlert, 'dedupKey'> {
  /** null: an alert of its own every time. */
  readonly dedupKey: string | null
  /** The key's alert is over. */
  readonly ends: boolean
  readonly rule: RuleRef
  readonly group: Readonly<Record<string, string>>
  readonly runbook: string | null
  /** RFC 3339; null: now. */
  readonly startedAt: string | null
}

/** What is remembered of a key's alerts; times in RFC 3339. */
export interface KeyState {
  readonly openings: number
  readonly alertId: string
  readonly open: boolean
  readonly revision: number
  readonly count: number
  readonly firstSeen: string
  readonly createdAt: string
  readonly updatedAt: string
}

export interface RaiseStep {
  readonly type: FigureRecordType
  readonly next: KeyState
}

/**
 * What raising does to the key's state. `state` null: the key was never raised. `ended`: people have resolved or dismissed its open
 * alert, so that raising it opens another one. null: nothing is open that could end.
 */
export function raise(
  raised: Pick<Raised, 'dedupKey' | 'ends' | 'startedAt'>,
  state: KeyState | null,
  context: { readonly organizationId: string; readonly ended: boolean; readonly now: number; readonly freshId: string },
): RaiseStep | null {
  const { organizationId, ended, now, freshId } = context
  const isOpen = state?.open === true
  if (state !== null && isOpen && (raised.ends || !ended)) {
    const updatedAt = new Date(Math.max(now, Date.parse(state.updatedAt))).toISOString()
    const next = { ...state, revision: state.revision + 1, updatedAt }
    return raised.ends
      ? { type: 'alert.closed', next: { ...next, open: false } }
      : { type: 'alert.revised', next: { ...next, count: state.count + 1 } }
  }
  if (raised.ends) return null
  const openings = (state?.openings ?? 0) + 1
  const at = new Date(now).toISOString()
  const alertId =
    // With its time, since a key whose last alert was deleted begins at one again, and that alert may not come back.
    raised.dedupKey === null ? freshId : uuid5(RAISED_NAMESPACE, JSON.stringify([organizationId, raised.dedupKey, openings, at]))
  const firstSeen = new Date(Math.min(now, Date.parse(raised.startedAt ?? at))).toISOString()
  return {
    type: 'alert.created',
    next: { openings, alertId, open: true, revision: 1, count: 1, firstSeen, createdAt: at, updatedAt: at },
  }
}

/** The figures of the alert after a step; `source`: who raised it. */
export function raisedFigures(organizationId: string, raised: Raised, state: KeyState, source: string): AlertFigures {
  const { firstSeen, updatedAt, count } = state
  return {
    id: state.alertId,
    organizationId,
    type: raised.type,
    severity: raised.severity,
    title: raised.title,
    description: raised.description ?? '',
    source,
    rule: raised.rule,
    pattern: null,
    group: { ...raised.group },
    window: { from: firstSeen, to: updatedAt, spanMs: 0, threshold: 1, value: 1 },
    firstSeen,
    lastSeen: updatedAt,
    count,
    peak: count,
    revision: state.revision,
    open: state.open,
    backfilled: false,
    metadata: { ...raised.metadata, ...(raised.dedupKey === null ? {} : { dedupKey: raised.dedupKey }) },
    tags: [...(raised.tags ?? [])],
    runbook: raised.runbook,
    correlationId: null,
    createdAt: state.createdAt,
    updatedAt,
    evidence: [],
  }
}

/** `api:NAME`, cut to what a source may have, between characters. */
export function sourceOf(name: string): string {
  let source = 'api:'
  for (const character of name) {
    if (source.length + character.length > MAX_SOURCE_CHARS) break
    source += character
  }
  return source
}

/** In place of a rule: no text lies behind it. */
export const withoutRule = (id: string, name: string): RuleRef => ({ id, name, version: 1, hash: NO_TEXT_HASH })
const NO_TEXT_HASH = createHash('sha256').digest('hex')

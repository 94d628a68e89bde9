/** Seeded streams of events as producers send them: out of order, more than once, from several organizations. */

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** An event in format `tocsin`, without what ingest adds. */
export type SentEvent = Readonly<Record<string, unknown>> & { readonly id: string; readonly timestamp: string }

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
/** Stamps lie on multiples of it, so that windows are hit on their edges and times are often equal. */
const GRID = 30_000

const WHAT: readonly Readonly<Record<string, unknown>>[] = [
  { action: 'auth.login', status: 'failure' },
  { action: 'auth.login', status: 'failure' },
  { action: 'auth.login', status: 'failure', outcomeDescription: 'Access denied' },
  { action: 'auth.login', status: 'success' },
  { action: 'auth.logout', status: 'success' },
  {
    action: 'data.read',
    status: 'failure',
    outcomeDescription: 'forbidden',
    targetResourceType: 'Patient',
    targetResourceId: 'p1',
  },
  { action: 'role.grant', status: 'failure', outcomeDescription: 'permission denied' },
  { action: 'fhir.patient.read', status: 'success', targetResourceType: 'Patient' },
  { action: 'data.read', status: 'success', targetResourceType: 'Report', dataClassification: 'CONFIDENTIAL' },
  { action: 'file.download', status: 'success' },
  { action: 'data.export', status: 'success', recordCount: 7 },
  { action: 'report.export', status: 'attempt' },
  { action: 'fhir.bundle.process', status: 'success', recordCount: 0 },
  { action: 'system.sync', status: 'success', recordCount: 11 },
  { action: 'system.sync', status: 'success', recordCount: 10 },
  { action: 'data.export', status: 'success', recordCount: 400 },
  { action: 'role.grant', status: 'success', targetResourceType: 'user', targetResourceId: 'u1' },
  { action: 'app.job', status: 'success', processingLatency: 1200, queueDepth: 150 },
  { action: 'audit.logging.stop', status: 'success', targetResourceId: 'trail' },
  { action: 'app.note', status: 'success', gdprContext: { dataSubjectId: 's1' } },
]

const WHO: readonly Readonly<Record<string, unknown>>[] = [
  { principalId: 'u1', sessionContext: { ipAddress: '192.0.2.1' } },
  { principalId: 'u2', sessionContext: { ipAddress: '192.0.2.1' } },
  { principalId: 'u3', sessionContext: { ipAddress: '192.0.2.1' } },
  { principalId: 'u1', sessionContext: { ipAddress: '192.0.2.2' } },
  { principalId: '192.0.2.1' },
  { sessionContext: { ipAddress: '192.0.2.1' } },
  { principalId: ' ', sessionContext: { sessionId: 's1' } },
  {},
]

export interface StreamPlan {
  readonly name: string
  readonly count: number
  /** Epoch milliseconds from which on events lie. */
  readonly bases: readonly number[]
  /** How long after each of them. */
  readonly spreadMs: number
  /** Also stamps ahead of time, and ids that come again with other content: then the order of arrival matters. */
  readonly hostile: boolean
}

/** A stream in an order of arrival that has nothing to do with its times; every fifth event comes twice. */
export function randomStream(random: () => number, { name, count, bases, spreadMs, hostile }: StreamPlan): SentEvent[] {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
  const sent: SentEvent[] = []
  for (let n = 0; n < count; n += 1) {
    const t = pick(bases) + Math.floor((random() * spreadMs) / GRID) * GRID + pick([0, 0, 0, 0, 1, -1])
    const event = { id: `${name}-${n}`, timestamp: new Date(t).toISOString(), ...pick(WHAT), ...pick(WHO) }
    sent.push(event)
    if (random() < 0.2) sent.push(pick(sent))
    if (hostile && random() < 0.03) sent.push({ ...event, id: pick(sent).id })
    if (hostile && random() < 0.02)
      sent.push({ ...event, id: `${name}-ahead-${n}`, timestamp: new Date(Date.now() + pick([2 * MINUTE, DAY])).toISOString() })
  }
  return sent
}

export interface CrowdPlan {
  readonly name: string
  readonly count: number
  /** Epoch milliseconds; events lie from it on. */
  readonly base: number
  readonly spreadMs: number
  readonly what: Readonly<Record<string, unknown>>
}

/** Many events of one kind and person, in any order: episodes that begin apart and grow together. */
export function randomCrowd(random: () => number, { name, count, base, spreadMs, what }: CrowdPlan): SentEvent[] {
  return Array.from({ length: count }, (_, n) => ({
    id: `${name}-${n}`,
    timestamp: new Date(base + Math.floor(random() * spreadMs)).toISOString(),
    ...what,
  }))
}

/** One step of a stream that is sent as it happens, with windows of seconds: stamps up to a second old, or far too old. */
export function liveStep(random: () => number, name: string, step: number, size: number): SentEvent[] {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
  const now = Date.now()
  return Array.from({ length: size }, (_, n) => ({
    id: `${name}-${step}-${n}`,
    timestamp: new Date(Math.floor((now - random() * pick([200, 1000, 4000])) / 250) * 250).toISOString(),
    ...pick(WHAT),
    ...pick(WHO),
  }))
}

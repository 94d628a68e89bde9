/**
 * A brute-force recomputation of FAILED_AUTH and password spraying for sorted events, written from docs/detection.md and
 * nothing else: quadratic, obviously right, and independent of the engine. Times in milliseconds.
 */
const MINUTE = 60_000

export interface Failure {
  readonly t: number
  readonly id: string
  readonly principal: string
  readonly ip: string
}

export interface Expected {
  readonly rule: 'failed-auth' | 'password-spraying'
  readonly group: string
  readonly firstSeen: number
  readonly lastSeen: number
  readonly count: number
  readonly peak: number
}

interface Stretch {
  from: number
  to: number
}

/** Episodes of one group: maximal true intervals of `holds` over windows (t - span, t], joined while gaps are <= span + cooldown. */
function episodes(
  events: readonly Failure[],
  span: number,
  cooldown: number,
  holds: (window: readonly Failure[]) => boolean,
): Omit<Expected, 'rule' | 'group'>[] {
  const windowAt = (t: number) => events.filter((event) => event.t > t - span && event.t <= t)
  // The window changes only where an event enters (t) or leaves (t + span).
  const edges = [...new Set(events.flatMap((event) => [event.t, event.t + span]))].sort((a, b) => a - b)
  const stretches: Stretch[] = []
  edges.forEach((from, index) => {
    const to = edges[index + 1]
    if (to === undefined || !holds(windowAt(from))) return
    const last = stretches.at(-1)
    if (last?.to === from) last.to = to
    else stretches.push({ from, to })
  })
  const joined: Stretch[][] = []
  for (const stretch of stretches) {
    const episode = joined.at(-1)
    if (episode !== undefined && stretch.from - (episode.at(-1) as Stretch).to <= span + cooldown) episode.push(stretch)
    else joined.push([stretch])
  }
  return joined.map((episode) => {
    const opening = windowAt((episode[0] as Stretch).from)
    const firstSeen = Math.min(...opening.map((event) => event.t))
    const held = events.filter((event) => episode.some((stretch) => event.t >= stretch.from && event.t < stretch.to))
    const lastSeen = Math.max(...held.map((event) => event.t))
    return {
      firstSeen,
      lastSeen,
      count: events.filter((event) => event.t >= firstSeen && event.t <= lastSeen).length,
      peak: Math.max(...held.map((event) => windowAt(event.t).length)),
    }
  })
}

function byGroup(failures: readonly Failure[], of: (failure: Failure) => string): Map<string, Failure[]> {
  const groups = new Map<string, Failure[]>()
  for (const failure of failures) groups.set(of(failure), [...(groups.get(of(failure)) ?? []), failure])
  return groups
}

/** Default settings: 5 in 5 min by principal; 5 of at least 3 principals in 10 min by address; cooldown 5 min. */
export function expectedAlerts(failures: readonly Failure[]): Expected[] {
  const failed = [...byGroup(failures, (failure) => failure.principal)].flatMap(([group, events]) =>
    episodes(events, 5 * MINUTE, 5 * MINUTE, (window) => window.length >= 5).map((found) => ({
      rule: 'failed-auth' as const,
      group,
      ...found,
    })),
  )
  const sprayed = [...byGroup(failures, (failure) => failure.ip)].flatMap(([group, events]) =>
    episodes(
      events,
      10 * MINUTE,
      5 * MINUTE,
      (window) => window.length >= 5 && new Set(window.map((event) => event.principal)).size >= 3,
    ).map((found) => ({
      rule: 'password-spraying' as const,
      group,
      ...found,
    })),
  )
  return [...failed, ...sprayed]
}

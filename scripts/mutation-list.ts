/** What `npm run mutations` breaks, and the test that has to notice. */

export interface Mutation {
  readonly name: string
  readonly file: string
  /** Once in the file. */
  readonly from: string
  readonly to: string
  /** A file, and the beginning of the titles in it, where not all are needed. */
  readonly test: readonly [file: string, title?: string]
}

const WORKER = 'services/detector/src/partition-worker.ts'
const CRASH: Mutation['test'] = ['services/detector/test/crash-points.test.ts']
const SNAPSHOTS: Mutation['test'] = ['services/detector/test/snapshots.test.ts']
const engine = (file: string): string => `libs/engine/src/${file}`
const CORRELATIONS: Mutation['test'] = ['libs/engine/test/correlations.test.ts']
const SETTLED: Mutation['test'] = ['libs/engine/src/truth/settled.test.ts']
const SETTINGS: Mutation['test'] = ['libs/engine/src/rules/settings.test.ts']
const BASELINES: Mutation['test'] = ['libs/engine/src/baselines/baselines.test.ts']
const MODEL: Mutation['test'] = ['libs/engine/test/engine-against-model.test.ts']

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'the snapshot begins before its records are published',
    file: WORKER,
    from: `    const failed = await this.#publish(context, next)
    if (failed !== undefined) return failed
    if (!this.#lost &&`,
    to: `    if (!this.#lost && !this.#closing) snapshots.beginIfDue(engine)
    const failed = await this.#publish(context, next)
    if (failed !== undefined) return failed
    if (processed < 0 &&`,
    test: CRASH,
  },
  {
    name: 'reading goes on at the committed offset, not at the snapshot’s',
    file: 'services/detector/src/recovery.ts',
    from: 'return { stored: shelf.stored(), restored, isAhead: false }',
    to: 'return { stored: shelf.stored(), restored: { ...restored, next: committed?.next ?? restored.next }, isAhead: false }',
    test: CRASH,
  },
  {
    name: 'a damaged snapshot is used',
    file: 'services/detector/src/snapshot-shelf.ts',
    from: 'if (fault !== undefined) refused(id, fault)',
    to: 'if (fault === null) refused(id, fault)',
    test: SNAPSHOTS,
  },
  {
    name: 'the duplicate test is dropped',
    file: engine('held/take-event.ts'),
    from: 'if (known !== NO_ROW) return',
    to: 'if (known === -2) return',
    test: MODEL,
  },
  {
    name: 'the window’s end is closed: an event exactly span old is in',
    file: engine('group.ts'),
    from: 't + this.program.spanMs : this.night.end',
    to: 't + this.program.spanMs + 1 : this.night.end',
    test: MODEL,
  },
  {
    name: 'Q is exclusive',
    file: engine('alerts/episode.ts'),
    from: 'return from - this.end <= reach && this.firstTrue - to <= reach',
    to: 'return from - this.end < reach && this.firstTrue - to < reach',
    test: MODEL,
  },
  {
    name: 'R is exclusive: an event goes at exactly R',
    file: engine('group.ts'),
    from: 'const kept = logTime - this.holdMs',
    to: 'const kept = logTime - this.holdMs + 1',
    test: MODEL,
  },
  {
    name: 'an alert closes at exactly R',
    file: engine('group.ts'),
    from: 'this.spanMs) + this.holdMs + 1',
    to: 'this.spanMs) + this.holdMs',
    test: MODEL,
  },
  {
    name: 'alerts are joined with the younger one',
    file: engine('alerts/join-episodes.ts'),
    from: 'each.opening.offset < oldest.opening.offset',
    to: 'each.opening.offset > oldest.opening.offset',
    test: MODEL,
  },
  {
    name: 'the newest event is counted twice',
    file: engine('alerts/update-episodes.ts'),
    from: 'if (counted.some((range) => range.from <= change.t && change.t <= range.to)) countOne',
    to: 'if (change.t <= target.lastSeen) countOne',
    test: MODEL,
  },
  {
    name: 'the severity falls',
    file: engine('alerts/episode.ts'),
    from: 'if (severityRank(severity) <= severityRank(this.severity)) return',
    to: 'if (severity === this.severity) return',
    test: MODEL,
  },
  {
    name: 'groups do without the organization',
    file: engine('partition-engine.ts'),
    from: 'return matchEvent(event, this.#organizations.get(event.organizationId)',
    to: "return matchEvent(event, this.#organizations.get('0f0e0d0c-0b0a-4908-8706-050403020100')",
    test: MODEL,
  },
  {
    name: 'the lateness is ignored',
    file: engine('group.ts'),
    from: 'return this.reachMs + this.program.latenessMs',
    to: 'return this.reachMs',
    test: MODEL,
  },
  {
    name: 'a stamp ahead of log time is believed',
    file: engine('log-clock.ts'),
    from: 'stamp - logTime > AHEAD_MS',
    to: 'stamp - logTime > AHEAD_MS * 1_000_000',
    test: MODEL,
  },
  {
    name: 'a broker’s clock may fall by less than an hour only',
    file: engine('log-clock.ts'),
    from: 'this.now - appendTime > TOLERATED_MS',
    to: 'this.now - appendTime >= TOLERATED_MS',
    test: MODEL,
  },
  {
    name: 'a full organization gives groups before lateness',
    file: engine('held/organization-limits.ts'),
    from: 'const late = shedding.nextEvent(now, true)',
    to: 'const late = shedding.nextGroup() === null ? shedding.nextEvent(now, true) : null',
    test: [MODEL[0], 'the engine and the model, with little room'],
  },
  {
    name: 'a full organization lets events within the span go',
    file: engine('held/organization-limits.ts'),
    from: 'if (beyondSpan && now - entry.arrival <= group.spanMs) continue',
    to: 'if (beyondSpan && now - entry.arrival < group.spanMs) continue',
    test: MODEL,
  },
  {
    name: 'a group whose alert has just ended may not go',
    file: engine('partition-engine.ts'),
    from: `    group.owner.organization.shedding?.offer(group)
    this.#forgetIfEmpty(group)`,
    to: '    this.#forgetIfEmpty(group)',
    test: [MODEL[0], 'a full organization'],
  },
  {
    name: 'a full group takes what is below its floor',
    file: engine('held/take-event.ts'),
    from: 'if (group.floor !== null && isRefused(row, group.floor)) return refused(group)',
    to: '',
    test: [MODEL[0], 'the engine and the model, with little room'],
  },
  {
    name: 'evidence lies in the order of ids',
    file: engine('held/evidence-pool.ts'),
    from: 'if (t !== otherT) return t < otherT',
    to: '',
    test: MODEL,
  },
  {
    name: 'ids are made of the opening offset',
    file: engine('partition-engine.ts'),
    from: 'openingEventId: id, t',
    to: 'openingEventId: String(this.#offset), t',
    test: MODEL,
  },
  {
    name: 'a revision needs twice the count',
    file: engine('alerts/revision.ts'),
    from: 'const GROWTH = 1.5',
    to: 'const GROWTH = 2',
    test: MODEL,
  },
  {
    name: 'a minute is more than 60 s',
    file: engine('alerts/revision.ts'),
    from: 'logTime - state.lastRevisionAt >= STALE_AFTER_MS',
    to: 'logTime - state.lastRevisionAt > STALE_AFTER_MS',
    test: MODEL,
  },
  {
    name: 'quiet is more than 10 s',
    file: engine('alerts/revision.ts'),
    from: 'logTime - state.countedAt >= QUIET_AFTER_MS',
    to: 'logTime - state.countedAt > QUIET_AFTER_MS',
    test: MODEL,
  },
  {
    name: 'changes of a record lie as they were made',
    file: engine('alerts/publisher.ts'),
    from: 'changes.length < 2 ? changes : changes.sort(byRuleThenAlert)',
    to: 'changes',
    test: MODEL,
  },
  {
    name: 'another version counts a group that an open alert holds',
    file: engine('partition-engine.ts'),
    from: 'known === undefined ? program !== instance.current : known.program !== program',
    to: 'program !== instance.current',
    test: CORRELATIONS,
  },
  {
    name: 'first events of an alert are those of the whole window range',
    file: engine('alerts/update-episodes.ts'),
    from: 'target.firstSeen = known === null ? held.t(start) : Math.min(known.firstSeen, held.t(start))',
    to: 'target.firstSeen = held.t(start)',
    test: MODEL,
  },
  {
    name: 'a refused event counts as the last one that came',
    file: engine('held/held-events.ts'),
    from: 'while (arrived.length > 0 && this.#releaseIfDropped(arrived, arrived.length - 1)) this.#lows.pop()',
    to: '',
    test: [MODEL[0], 'a full organization'],
  },
  {
    name: 'an event exactly late is late',
    file: engine('partition-engine.ts'),
    from: 'row.t < row.arrival - program.latenessMs',
    to: 'row.t <= row.arrival - program.latenessMs',
    test: MODEL,
  },
  {
    name: 'an exception stays in force after it has expired',
    file: engine('rules/exceptions.ts'),
    from: 'logTime >= exception.expiresAt',
    to: 'logTime < 0',
    test: MODEL,
  },
  {
    name: 'a group with an open alert goes over to another version',
    file: engine('rule-instance.ts'),
    from: '} else if (group.episodes.length === 0) group.adopt(program)',
    to: '} else if (group.episodes.length >= 0) group.adopt(program)',
    test: MODEL,
  },
  {
    name: 'of one time, events serve one step only',
    file: engine('truth/truth-of-steps.ts'),
    from: 'const next = serve(rows, t, first, 1)',
    to: 'const next = Math.min(first + 1, serve(rows, t, first, 1))',
    test: CORRELATIONS,
  },
  {
    name: 'one event serves two steps',
    file: engine('truth/truth-of-steps.ts'),
    from: 'if (others === undefined || take(others, servedBy, asked)) {',
    to: 'if (others === undefined || others.length > 0) {',
    test: CORRELATIONS,
  },
  {
    name: 'an event belongs to the group of one of its rules only',
    file: engine('matching/grouping.ts'),
    from: 'of byPart.entries())',
    to: 'of [...byPart.entries()].slice(0, 1))',
    test: CORRELATIONS,
  },
  {
    name: 'an exception of one rule holds for every rule',
    file: engine('rules/exceptions.ts'),
    from: 'exception.ruleId !== null && exception.ruleId !== ruleId',
    to: 'exception.ruleId !== null && exception.ruleId === null',
    test: SETTINGS,
  },
  {
    name: 'baselines are not in the snapshot',
    file: engine('partition-engine.ts'),
    from: 'baselines?.restore(baseline)',
    to: 'baselines?.all()',
    test: BASELINES,
  },
  {
    name: 'the samples of the hour at hand move its own threshold',
    file: engine('baselines/baselines.ts'),
    from: 'baselineOf(this.samples, this.hour,',
    to: 'baselineOf(this.samples, this.hour + 1,',
    test: BASELINES,
  },
  {
    name: 'windows at the end of an hour count for the next',
    file: engine('baselines/baselines.ts'),
    from: '      settlePeaks(group)\n',
    to: '',
    test: BASELINES,
  },
  {
    name: 'an open alert takes the threshold of a new hour',
    file: engine('baselines/baselines.ts'),
    from: 'if (group.episodes.length > 0) return',
    to: 'if (group.episodes.length > 100) return',
    test: BASELINES,
  },
  {
    name: 'a settled time is decided at exactly the lateness',
    file: engine('truth/settling.ts'),
    from: 'this.#due.push(Math.max(end, arrival) + terms.latenessMs + 1, t)',
    to: 'this.#due.push(Math.max(end, arrival) + terms.latenessMs, t)',
    test: SETTLED,
  },
  {
    name: 'a settled window does not wait for its last arrival',
    file: engine('truth/settling.ts'),
    from: 'if (arrival === null) due.add(t)',
    to: 'if (arrival !== undefined) due.add(t)',
    test: CORRELATIONS,
  },
  {
    name: 'a settled time is decided again',
    file: engine('held/told-events.ts'),
    from: 'const isOpen = rows.length > 0 && !settling.isDecided(rows[0] as number)',
    to: 'const isOpen = rows.length > 0',
    test: ['libs/engine/src/held/held-structures.test.ts', 'a settled time'],
  },
  {
    name: 'a not looks behind',
    file: engine('truth/settling.ts'),
    from: 'isAhead ? [t, leaves(t) - 1] : [opens(t), t]',
    to: 'isAhead ? [opens(t), t] : [opens(t), t]',
    test: CORRELATIONS,
  },
]

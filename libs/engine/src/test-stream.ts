import { createHash } from 'node:crypto'
import type { AuditEvent, OrganizationSettings, RuleRecord, TenantRecord } from '@tocsin/contracts'
import { parsedEvent } from './event/parsed-event.ts'
import type { EngineLimits } from './held/limits.ts'
import { PartitionEngine } from './partition-engine.ts'
import type { AlertChange, EngineRecord } from './records.ts'
import { type CompiledRule, compileRule } from './rules/rule.ts'
import { type EpochMs, isoTime } from './time.ts'

/** For tests of this folder: a Monday, 12:00 UTC, within business hours. */
export const NOON: EpochMs = Date.parse('2026-03-02T12:00:00Z')
export const ORG_A = '11111111-1111-4111-8111-111111111111'
export const ORG_B = '22222222-2222-4222-8222-222222222222'

/** `at('1:30')` is a minute and a half after noon; `at('0:00', 250)` a quarter of a second. */
export function at(minutesAndSeconds: string, ms = 0): EpochMs {
  const [minutes = '0', seconds = '0'] = minutesAndSeconds.split(':')
  return NOON + Number(minutes) * 60_000 + Number(seconds) * 1000 + ms
}

let nextId = 0

/** An event of organization A at noon, unless said otherwise; `t` is its own time. */
export function anEvent(fields: Partial<AuditEvent> & { t?: EpochMs } = {}): AuditEvent {
  const { t = NOON, ...rest } = fields
  return {
    id: `event-${String(nextId++).padStart(8, '0')}`,
    timestamp: isoTime(t),
    receivedAt: isoTime(t),
    organizationId: ORG_A,
    action: 'app.something',
    status: 'success',
    outcome: 'success',
    category: 'other',
    operation: 'other',
    dataClassification: 'INTERNAL',
    integrity: 'absent',
    source: { format: 'tocsin', name: 'test' },
    ...rest,
  }
}

export const failedLogin = (principalId: string, t: EpochMs, fields: Partial<AuditEvent> = {}): AuditEvent =>
  anEvent({
    t,
    principalId,
    action: 'auth.login.failure',
    category: 'authentication',
    operation: 'login',
    status: 'failure',
    outcome: 'failure',
    ...fields,
  })

export const successfulLogin = (principalId: string, t: EpochMs, fields: Partial<AuditEvent> = {}): AuditEvent =>
  anEvent({ t, principalId, action: 'auth.login.success', category: 'authentication', operation: 'login', ...fields })

export const ruleRecord = (ruleId: string, content: string, fields: Partial<RuleRecord> = {}): RuleRecord => ({
  ruleId,
  organizationId: null,
  version: 1,
  hash: createHash('sha256').update(content).digest('hex'),
  state: 'active',
  content,
  ...fields,
})

const compiled = new Map<string, CompiledRule>()

/** Compiled rules are values, so that many streams may share them. */
function compile(record: RuleRecord): CompiledRule {
  const key = JSON.stringify(record)
  const rule = compiled.get(key) ?? compileRule(record)
  compiled.set(key, rule)
  return rule
}

/** Feeds an engine, keeps what comes out. Offsets count from 0; append time is the event's own unless given. */
export class Stream {
  engine: PartitionEngine
  readonly changes: AlertChange[] = []
  readonly records: EngineRecord[] = []
  #offset = 0n

  constructor(rules: readonly RuleRecord[] = [], limits?: EngineLimits) {
    this.engine = new PartitionEngine({
      topic: 'audit.events',
      partition: 3,
      compile,
      ...(limits === undefined ? {} : { limits }),
    })
    for (const rule of rules) this.rule(rule, NOON - 600_000)
  }

  event(event: AuditEvent, appendTime: EpochMs = Date.parse(event.timestamp)): AlertChange[] {
    return this.feed({ kind: 'event', appendTime, offset: this.#offset++, event: parsedEvent(event) })
  }

  tick(appendTime: EpochMs): AlertChange[] {
    return this.feed({ kind: 'tick', appendTime, offset: this.#offset++ })
  }

  rule(rule: RuleRecord, appendTime: EpochMs): AlertChange[] {
    return this.feed({ kind: 'control', appendTime, offset: this.#offset++, control: { kind: 'rule', rule } })
  }

  settings(organizationId: string, settings: OrganizationSettings, appendTime: EpochMs, version = 1): AlertChange[] {
    const organization: TenantRecord = {
      organizationId,
      version,
      slug: 'test',
      name: 'Test',
      partition: 3,
      settings,
      recipients: { emails: [], slackChannels: [], phoneNumbers: [] },
      keys: [],
    }
    return this.feed({ kind: 'control', appendTime, offset: this.#offset++, control: { kind: 'organization', organization } })
  }

  deleted(organizationId: string, appendTime: EpochMs): AlertChange[] {
    const control = { kind: 'organizationDeleted', organizationId } as const
    return this.feed({ kind: 'control', appendTime, offset: this.#offset++, control })
  }

  feed(record: EngineRecord): AlertChange[] {
    this.records.push(record)
    const changes = this.engine.process(record)
    this.changes.push(...changes)
    return changes
  }

  /** The last figures of each alert, in order of their first appearance. */
  alerts(ruleId?: string): AlertChange['alert'][] {
    const last = new Map<string, AlertChange['alert']>()
    for (const { alert } of this.changes) if (ruleId === undefined || alert.rule.id === ruleId) last.set(alert.id, alert)
    return [...last.values()]
  }
}

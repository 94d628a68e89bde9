/** The attacks that `npm run demo` plays: events in our own format, made of a seed; pure. */
import type { Pattern, Severity } from '@tocsin/contracts'
import { createRandom, type Random } from './random.ts'

export interface ScenarioContext {
  readonly seed: number
  /** In ids and names, so that a run is an episode of its own and no repetition of an earlier one. */
  readonly run: string
  /** ms since 1970; the attack has just happened. */
  readonly now: number
}

export type DemoEvent = Readonly<Record<string, unknown>>

export interface Scenario {
  readonly principal: string
  /** What happens, in one sentence. */
  readonly story: string
  readonly events: readonly DemoEvent[]
  /** Patterns whose alerts must appear, the one to be acknowledged first. */
  readonly expected: readonly [Pattern, ...Pattern[]]
  /** To which the first of them must rise. */
  readonly risesTo?: Severity
}

export const SCENARIOS = { 'brute-force': bruteForce, exfiltration, insider } as const satisfies Record<
  string,
  (context: ScenarioContext) => Scenario
>
export type ScenarioName = keyof typeof SCENARIOS
export const SCENARIO_NAMES = Object.keys(SCENARIOS) as readonly ScenarioName[]

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const AGENTS = ['python-requests/2.32', 'curl/8.9', 'Hydra'] as const

/** One address guesses a password until it is right. */
function bruteForce(context: ScenarioContext): Scenario {
  const random = createRandom(context.seed)
  const principal = `${random.pick(['alice', 'bruno', 'carla', 'deniz'])}.${context.run}@example.com`
  const ipAddress = address(random)
  const userAgent = random.pick(AGENTS)
  const failures = random.between(8, 20)
  const common = { principalId: principal, principalType: 'user', sessionContext: { ipAddress, userAgent } }
  const start = context.now - (failures + 1) * 2 * SECOND_MS
  const at = (n: number) => start + n * 2 * SECOND_MS
  const attempts = Array.from({ length: failures }, (_, n) =>
    eventOf(context, n, at(n), {
      ...common,
      action: 'auth.login.failure',
      status: 'failure',
      outcomeDescription: 'wrong password',
    }),
  )
  const breakIn = eventOf(context, failures, at(failures), { ...common, action: 'auth.login.success', status: 'success' })
  return {
    principal,
    story: `${failures} wrong passwords for ${principal} from ${ipAddress}, then the right one`,
    events: [...attempts, breakIn],
    expected: ['FAILED_AUTH'],
    risesTo: 'CRITICAL',
  }
}

/** One account reads much in a minute and carries it out in exports. */
function exfiltration(context: ScenarioContext): Scenario {
  const random = createRandom(context.seed)
  const principal = `${random.pick(['reporting', 'backup', 'sync'])}.${context.run}@example.com`
  const common = { principalId: principal, principalType: 'service', sessionContext: { ipAddress: address(random) } }
  const reads = random.between(110, 140)
  const exports = random.between(6, 10)
  const readEvents = Array.from({ length: reads }, (_, n) =>
    eventOf(context, n, context.now - MINUTE_MS + Math.floor((n * 40 * SECOND_MS) / reads), {
      ...common,
      action: 'data.read',
      status: 'success',
      targetResourceType: 'customer',
      targetResourceId: `customer-${random.between(1, 9_999)}`,
    }),
  )
  let records = 0
  const exportEvents = Array.from({ length: exports }, (_, n) => {
    const recordCount = random.between(40, 120)
    records += recordCount
    return eventOf(context, reads + n, context.now - 15 * SECOND_MS + n * SECOND_MS, {
      ...common,
      action: 'data.export',
      status: 'success',
      targetResourceType: 'customer',
      recordCount,
    })
  })
  return {
    principal,
    story: `${principal} reads ${reads} customers within a minute and exports ${records} records`,
    events: [...readEvents, ...exportEvents],
    expected: ['BULK_OPERATION', 'DATA_VELOCITY'],
  }
}

/** Somebody of the house tries doors that are closed to them, and looked at patients' records in the night. */
function insider(context: ScenarioContext): Scenario {
  const random = createRandom(context.seed)
  const principal = `${random.pick(['nurse', 'intern', 'clerk'])}.${context.run}@example.com`
  const common = {
    principalId: principal,
    principalType: 'user',
    sessionContext: { ipAddress: `10.0.${random.between(0, 9)}.${random.between(1, 254)}` },
  }
  const looks = random.between(3, 6)
  const refusals = random.between(4, 7)
  const night = lastNight(context.now)
  const lookEvents = Array.from({ length: looks }, (_, n) =>
    eventOf(context, n, night + n * MINUTE_MS, {
      ...common,
      action: 'fhir.patient.read',
      status: 'success',
      targetResourceType: 'Patient',
      targetResourceId: `patient-${random.between(100, 999)}`,
    }),
  )
  const refusalEvents = Array.from({ length: refusals }, (_, n) =>
    eventOf(context, looks + n, context.now - (refusals - n) * 5 * SECOND_MS, {
      ...common,
      action: 'document.read',
      status: 'failure',
      outcomeDescription: 'Access denied',
      targetResourceType: 'payroll',
      targetResourceId: `sheet-${n + 1}`,
    }),
  )
  return {
    principal,
    story: `${principal} looked at ${looks} patients in the night and is refused ${refusals} times at the payroll`,
    events: [...lookEvents, ...refusalEvents],
    expected: ['UNAUTHORIZED_ACCESS', 'OFF_HOURS'],
  }
}

/** 2:10 UTC of today, or of yesterday where that is still ahead: outside business hours in the zone of the development organization. */
function lastNight(now: number): number {
  const today = now - (now % (24 * HOUR_MS)) + 2 * HOUR_MS + 10 * MINUTE_MS
  return today + 10 * MINUTE_MS <= now ? today : today - 24 * HOUR_MS
}

/** An address of the ranges that are reserved for documentation (RFC 5737). */
const address = (random: Random): string => `${random.pick(['192.0.2', '198.51.100', '203.0.113'])}.${random.between(1, 254)}`

const eventOf = (context: ScenarioContext, n: number, time: number, fields: DemoEvent): DemoEvent => ({
  id: `demo-${context.run}-${n}`,
  timestamp: new Date(time).toISOString(),
  source: { name: 'demo' },
  ...fields,
})

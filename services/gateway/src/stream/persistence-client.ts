import { issueServiceToken, type KeyRing } from '@tocsin/access'
import { AlertWithEvidence } from '@tocsin/contracts'
import { messageOf } from '@tocsin/errors'
import type { Logger } from '@tocsin/telemetry'
import { Compile } from 'typebox/compile'
import type { Lookup } from './joiner.ts'

/** An alert is one indexed row: what takes longer is not worth holding back an organization's stream. */
const ANSWER_WITHIN_MS = 1_000
/** After a failure persistence is left alone this long, so that its absence costs one wait and not one for each alert. */
const LEAVE_ALONE_MS = 2_000

const alertCheck = Compile(AlertWithEvidence)

/** Asks persistence for one alert, as the gateway itself. Never rejects. */
export function createLookup(options: {
  readonly persistenceUrl: string
  readonly ring: KeyRing
  readonly log: Logger
  readonly onAnswer: (kind: Lookup['kind']) => void
  readonly clock?: () => number
}): (organizationId: string, alertId: string) => Promise<Lookup> {
  const { ring, log, clock = Date.now } = options
  let awayUntil = 0
  const ask = async (organizationId: string, alertId: string): Promise<Lookup> => {
    if (clock() < awayUntil) return { kind: 'away' }
    try {
      const token = await issueServiceToken(ring, { caller: 'gateway', audience: 'persistence' })
      const url = new URL(`/api/alerts/${alertId}?organizationId=${organizationId}`, options.persistenceUrl)
      const response = await fetch(url, {
        headers: { authorization: `Bearer ${token}` },
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      })
      const body: unknown = await response.json()
      if (response.status === 404) return { kind: 'missing' }
      if (response.status === 200 && alertCheck.Check(body)) return { kind: 'found', alert: body }
      throw new Error(`answered ${response.status}`)
    } catch (error) {
      if (awayUntil === 0) log.warn({ reason: messageOf(error) }, 'persistence is away: alerts are sent in part')
      awayUntil = clock() + LEAVE_ALONE_MS
      return { kind: 'away' }
    }
  }
  return async (organizationId, alertId) => {
    const answer = await ask(organizationId, alertId)
    if (answer.kind !== 'away') awayUntil = 0
    options.onAnswer(answer.kind)
    return answer
  }
}

import { setTimeout as delay } from 'node:timers/promises'
import { post, type Tenant } from './installation.ts'

const ATTEMPT_LIMIT_MS = 15_000
const FAILURES = 5

/**
 * A producer that never gives up: each round one new principal fails to sign in five times, and each event is sent again
 * under its own id until it is answered with 202. So every principal of `accepted` must become exactly one alert.
 */
export interface SteadyLoad {
  readonly accepted: readonly string[]
  /** Statuses seen, with how often; 0 stands for no answer. */
  readonly statuses: ReadonlyMap<number, number>
  stop(): Promise<void>
}

export function startLoad(url: string, tenant: Tenant, options: { readonly name: string; readonly everyMs: number }): SteadyLoad {
  const accepted: string[] = []
  const statuses = new Map<number, number>()
  const stopping = new AbortController()
  const open = new Set<Promise<void>>()

  const send = async (event: object): Promise<void> => {
    while (true) {
      const answer = await post(url, tenant.ingestKey, JSON.stringify(event), {
        signal: AbortSignal.timeout(ATTEMPT_LIMIT_MS),
      }).catch(() => undefined)
      const status = answer?.status ?? 0
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status === 202) return
      if (status !== 0 && status < 500 && status !== 429)
        throw new Error(`an event was refused with ${status}: ${JSON.stringify(answer?.body)}`)
      await delay(300)
    }
  }
  const round = async (principal: string): Promise<void> => {
    for (let n = 0; n < FAILURES; n++)
      await send({
        id: `${principal}-${n}`,
        timestamp: new Date().toISOString(),
        principalId: principal,
        action: 'auth.login',
        status: 'failure',
      })
    accepted.push(principal)
  }
  let failure: unknown
  const running = (async () => {
    for (let n = 0; !stopping.signal.aborted; n++) {
      const one = round(`${options.name}-${n}`).catch((error: unknown) => {
        failure ??= error
      })
      open.add(one)
      void one.then(() => open.delete(one))
      await delay(options.everyMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  })()
  return {
    accepted,
    statuses,
    stop: async () => {
      stopping.abort()
      await running
      await Promise.all(open)
      if (failure !== undefined) throw failure
    },
  }
}

/** Counts failed attempts (a wrong key, a wrong token, a sign-in) by address: past the limit they are refused without being looked at. */
import { HttpProblem } from '@tocsin/errors'

const MINUTE_MS = 60_000
const MAX_ADDRESSES = 50_000

export interface FailedAttempts {
  /** Milliseconds until a further attempt of this address is looked at; 0 when it still is. */
  waitMs(address: string): number
  /** To be called before the look-up, so that many at once are counted; `forgive` takes it back. */
  failed(address: string): void
  forgive(address: string): void
}

/** `clock`: monotonic milliseconds. */
export function createFailedAttempts(options: { readonly perMinute: number; readonly clock: () => number }): FailedAttempts {
  const { perMinute, clock } = options
  const minutes = new Map<string, { count: number; readonly endsAt: number }>()
  const present = (address: string) => {
    const minute = minutes.get(address)
    if (minute !== undefined && minute.endsAt > clock()) return minute
    minutes.delete(address)
    return undefined
  }
  return {
    waitMs: (address) => {
      const minute = present(address)
      return minute === undefined || minute.count < perMinute ? 0 : minute.endsAt - clock()
    },
    forgive: (address) => {
      const minute = present(address)
      if (minute !== undefined) minute.count--
    },
    failed: (address) => {
      const minute = present(address) ?? { count: 0, endsAt: clock() + MINUTE_MS }
      minute.count++
      if (minutes.size >= MAX_ADDRESSES) minutes.delete(minutes.keys().next().value ?? '')
      minutes.set(address, minute)
    },
  }
}

/** 429 with Retry-After, in whole seconds. */
export const tooManyRequests = (code: string, detail: string, waitMs: number) =>
  new HttpProblem(429, code, detail, { headers: { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) } })

/** For Fastify's `trustProxy`: addresses and CIDRs, with commas; empty: none. */
export const trustedProxies = (list: string): string[] | false => {
  const addresses = list.split(',').map((each) => each.trim())
  return list.trim() === '' ? false : addresses
}

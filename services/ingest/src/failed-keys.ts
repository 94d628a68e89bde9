/** Counts requests with a wrong key by address: past the limit they are refused without asking Kafka for new keys. */
const MINUTE_MS = 60_000
const MAX_ADDRESSES = 50_000

export interface FailedKeys {
  /** Milliseconds until a further wrong key of this address is looked up; 0 when it still is. */
  waitMs(address: string): number
  /** To be called before the look-up, so that many at once are counted; `forgive` takes it back. */
  failed(address: string): void
  forgive(address: string): void
}

export function createFailedKeys(options: { readonly perMinute: number; readonly clock: () => number }): FailedKeys {
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

import { afterEach, describe, expect, it } from 'vitest'
import { BREAKER_OPEN, type BreakerState, Breakers } from './breakers.ts'
import { type Accepted, DeliveryFault } from './channels/channel.ts'

const SETTINGS = {
  timeoutMs: 50,
  errorThresholdPercentage: 50,
  volumeThreshold: 5,
  rollingCountMs: 60_000,
  resetMs: 60,
  idleMs: 1_000,
}
const ACCEPTED: Accepted = { providerId: 'x', ref: {} }
let states: BreakerState[] = []
let now = 0
let breakers: Breakers

function make(): Breakers {
  states = []
  now = 0
  breakers = new Breakers(
    SETTINGS,
    (_destination, state) => states.push(state),
    () => now,
  )
  return breakers
}
afterEach(() => breakers.close())

const fails = (code = 'http_500', effect: 'retry' | 'message' = 'retry', retryAfterMs: number | null = null) =>
  breakers
    .fire('a', () => Promise.reject(new DeliveryFault(effect, code, retryAfterMs)))
    .then(
      () => 'accepted',
      (fault: DeliveryFault) => fault.code,
    )
const works = () => breakers.fire('a', () => Promise.resolve(ACCEPTED))
const until = async (state: BreakerState) => {
  while (states.at(-1) !== state) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('the breaker of a destination', () => {
  it('opens when most of five attempts fail, and then tries nothing', async () => {
    make()
    for (let i = 0; i < 5; i++) expect(await fails()).toBe('http_500')
    expect(states).toEqual(['open'])
    let tried = false
    const fault = await breakers
      .fire('a', async () => {
        tried = true
        return ACCEPTED
      })
      .catch((error: unknown) => error)
    expect(fault).toMatchObject({ code: BREAKER_OPEN, effect: 'retry', retryAfterMs: SETTINGS.resetMs })
    expect(tried).toBe(false)
  })

  it('leaves other destinations alone', async () => {
    make()
    for (let i = 0; i < 6; i++) await fails()
    expect(await breakers.fire('b', () => Promise.resolve(ACCEPTED))).toBe(ACCEPTED)
  })

  it('lets one through after its pause, and closes when that is accepted', async () => {
    make()
    for (let i = 0; i < 5; i++) await fails()
    await until('halfOpen')
    expect(await works()).toBe(ACCEPTED)
    expect(states).toEqual(['open', 'halfOpen', 'closed'])
  })

  it('opens again when the one that was let through fails', async () => {
    make()
    for (let i = 0; i < 5; i++) await fails()
    await until('halfOpen')
    expect(await fails()).toBe('http_500')
    expect(states.at(-1)).toBe('open')
  })

  it.each([
    ['a refused message', 'http_400', 'message', null],
    ['a rate limit', 'http_429', 'retry', 1_000],
  ] as const)('does not count %s', async (_what, code, effect, retryAfterMs) => {
    make()
    for (let i = 0; i < 10; i++) expect(await fails(code, effect, retryAfterMs)).toBe(code)
    expect(states).toEqual([])
  })

  it('ends an attempt whose time is over, and tells it so', async () => {
    make()
    let aborted = false
    const fault = await breakers
      .fire('a', (signal) => {
        signal.addEventListener('abort', () => {
          aborted = true
        })
        return new Promise(() => undefined)
      })
      .catch((error: unknown) => error)
    expect(fault).toMatchObject({ code: 'timeout', effect: 'retry' })
    expect(aborted).toBe(true)
  })

  it('is shut down when nobody uses it', async () => {
    make()
    await works()
    now = SETTINGS.idleMs - 1
    breakers.dropIdle()
    expect(breakers.size).toBe(1)
    now = SETTINGS.idleMs
    breakers.dropIdle()
    expect(breakers.size).toBe(0)
    expect(await works()).toBe(ACCEPTED)
  })
})

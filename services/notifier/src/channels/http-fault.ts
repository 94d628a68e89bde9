import { DeliveryFault } from './channel.ts'

/** Longest pause that a provider may ask for; a larger Retry-After is a mistake, and a day's page must not wait for it. */
const LONGEST_RETRY_AFTER_MS = 3_600_000
/** Slept after 429 without a readable Retry-After. */
const RATE_LIMIT_PAUSE_MS = 30_000
const REFUSES_DESTINATION: ReadonlySet<number> = new Set([401, 403, 404, 410])

/** Classifies an HTTP status other than 2xx (channels.md §2). Redirects are not followed and not success. */
export function httpFault(status: number, retryAfter: string | null, now: number): DeliveryFault {
  const code = `http_${status}`
  if (status === 429) return new DeliveryFault('retry', code, readRetryAfter(retryAfter, now) ?? RATE_LIMIT_PAUSE_MS)
  if (status === 408 || status >= 500)
    return new DeliveryFault('retry', code, status === 503 ? readRetryAfter(retryAfter, now) : null)
  return new DeliveryFault(REFUSES_DESTINATION.has(status) ? 'destination' : 'message', code)
}

/** Reads Retry-After in seconds or as an HTTP date (RFC 9110 §10.2.3); milliseconds, null where it is absent or unreadable. */
export function readRetryAfter(value: string | null, now: number): number | null {
  if (value === null || value.trim() === '') return null
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), LONGEST_RETRY_AFTER_MS)
}

/** Classifies what fetch throws: the time of the attempt is over, or the network failed. */
export function networkFault(error: unknown, signal: AbortSignal): DeliveryFault {
  if (signal.aborted) return new DeliveryFault('retry', 'timeout')
  const code = codeOf(error)
  return new DeliveryFault('retry', code === null ? 'network' : `network_${code.toLowerCase()}`)
}

/** System error code (`ECONNREFUSED` …) of an error or its causes. */
function codeOf(error: unknown): string | null {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const code = (at as { code?: unknown }).code
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,39}$/.test(code)) return code
  }
  return null
}

import type { Problem } from '@tocsin/contracts'
import { HttpProblem, isRetryable } from '@tocsin/errors'

export const PROBLEM_TYPE = 'application/problem+json'
const DEFAULT_RETRY_SECONDS = 5

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Conflict',
  412: 'Overtaken',
  413: 'Too large',
  415: 'Unsupported media type',
  422: 'Not acceptable as it is',
  429: 'Too many requests',
  500: 'Internal error',
  502: 'Bad gateway',
  503: 'Unavailable',
}

/**
 * Whatever was thrown, as status, headers and an RFC 9457 body. A 5xx says nothing of its cause to the caller; the log does.
 */
export function problemOf(error: unknown): {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Problem
} {
  const build = (
    status: number,
    code: string,
    detail: string,
    extra: object = {},
    headers: Readonly<Record<string, string>> = {},
  ) => ({
    status,
    headers,
    body: { type: 'about:blank', title: TITLES[status] ?? 'Error', status, detail, code, ...extra },
  })
  if (error instanceof HttpProblem) return build(error.status, error.problemCode, error.message, error.extra, error.headers)
  if (isRetryable(error)) {
    const seconds = Math.max(1, Math.ceil(error.retryAfterMs / 1000)) || DEFAULT_RETRY_SECONDS
    return build(503, 'UNAVAILABLE', 'A part this request needs is away. Try again.', {}, { 'retry-after': String(seconds) })
  }
  const { statusCode, code, message, validation } = error as {
    statusCode?: number
    code?: string
    message?: string
    validation?: unknown
  }
  if (validation !== undefined) return build(400, 'INVALID_REQUEST', message ?? 'The request does not fit its schema')
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return build(statusCode, code ?? 'BAD_REQUEST', message ?? 'The request cannot be read')
  return build(500, 'INTERNAL', 'Something failed here. It is in the log; nothing you sent caused it to be lost silently.')
}

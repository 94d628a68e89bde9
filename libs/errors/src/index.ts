/**
 * Two kinds of failure decide everything that follows one: worth trying again (RetryableError) or never (TerminalError).
 * HttpProblem is a terminal error that knows its RFC 9457 answer.
 */
export const ERROR_CODES = [
  'TOCSIN_CONFIG_INVALID',
  'TOCSIN_DEPENDENCY_AWAY',
  'TOCSIN_TIMEOUT',
  'TOCSIN_PROTOCOL',
  'TOCSIN_FIELD_UNREADABLE',
  'TOCSIN_OFFSETS_MISMATCH',
  'TOCSIN_ROLE_TOO_STRONG',
  'TOCSIN_TERMINAL',
  'TOCSIN_HTTP',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

export interface ErrorOptions {
  readonly cause?: unknown
  /** Ids and figures that help to find the place; never secrets. */
  readonly details?: Readonly<Record<string, unknown>>
}

export class TocsinError extends Error {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.details = options.details ?? {}
  }
}

/** Worth trying again, not sooner than `retryAfterMs` milliseconds (0: the caller's back-off decides). */
export class RetryableError extends TocsinError {
  readonly retryAfterMs: number

  constructor(message: string, options: ErrorOptions & { readonly retryAfterMs?: number; readonly code?: ErrorCode } = {}) {
    super(options.code ?? 'TOCSIN_DEPENDENCY_AWAY', message, options)
    this.retryAfterMs = options.retryAfterMs ?? 0
  }
}

/** Trying again cannot help. */
export class TerminalError extends TocsinError {
  constructor(message: string, options: ErrorOptions & { readonly code?: ErrorCode } = {}) {
    super(options.code ?? 'TOCSIN_TERMINAL', message, options)
  }
}

/** A request's failure as RFC 9457 tells it. `problemCode` is stable, for programs; `message` becomes `detail`. */
export class HttpProblem extends TerminalError {
  readonly status: number
  readonly problemCode: string
  readonly extra: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    problemCode: string,
    detail: string,
    options: ErrorOptions & {
      readonly extra?: Readonly<Record<string, unknown>>
      readonly headers?: Readonly<Record<string, string>>
    } = {},
  ) {
    super(detail, { ...options, code: 'TOCSIN_HTTP' })
    this.status = status
    this.problemCode = problemCode
    this.extra = options.extra ?? {}
    this.headers = options.headers ?? {}
  }
}

export const isRetryable = (error: unknown): error is RetryableError => error instanceof RetryableError

/** The message of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

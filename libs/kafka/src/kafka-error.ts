import { messageOf, RetryableError, TerminalError } from '@tocsin/errors'

/** Broker errors that another try cannot mend, though kafkajs may call them retriable. */
const TERMINAL = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
])

/** The broker's name of an error, for instance MESSAGE_TOO_LARGE, wherever kafkajs wrapped it. */
export function brokerErrorOf(error: unknown): string | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    const type = (each as { readonly type?: unknown }).type
    if (typeof type === 'string') return type
  }
  return undefined
}

/** What was thrown, as RetryableError or TerminalError. */
export function asTocsinError(error: unknown, what: string): RetryableError | TerminalError {
  if (error instanceof RetryableError || error instanceof TerminalError) return error
  const type = brokerErrorOf(error)
  const options = { cause: error, details: { type } }
  if (type !== undefined && TERMINAL.has(type)) return new TerminalError(`${what}: ${type}`, options)
  return new RetryableError(`${what}: ${type ?? messageOf(error)}`, options)
}

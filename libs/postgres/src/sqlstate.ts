import { RetryableError } from '@tocsin/errors'

/** Classes and codes of https://www.postgresql.org/docs/18/errcodes-appendix.html after which the same work may succeed. */
const RETRYABLE_CLASSES = new Set([
  '08', // connection exception
  '53', // insufficient resources: connections, memory, disk
  '58', // system error outside PostgreSQL
])
const RETRYABLE_STATES = new Set([
  '25006', // read only: the primary has moved
  '25P03', // idle in transaction too long: we were paused
  '40001', // serialization failure
  '40P01', // deadlock
  '55P03', // lock not available
  '57014', // statement timeout
  '57P01', // shutdown
  '57P02', // crash of another backend
  '57P03', // cannot connect now
  '57P05', // idle session timeout
])
/** Of node:net and node:dns. */
const RETRYABLE_SYSTEM = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
])
/** `pg` throws these without a code (pg 8.23, lib/client.js and pg-pool 3). */
const RETRYABLE_MESSAGES =
  /^(Connection terminated|timeout expired|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error)/

const codeOf = (error: unknown): string => {
  const code = typeof error === 'object' && error !== null ? (error as { readonly code?: unknown }).code : undefined
  return typeof code === 'string' ? code : ''
}

/** SQLSTATE of an error of PostgreSQL (also inside a cause), else ''. */
export function sqlStateOf(error: unknown): string {
  const code = codeOf(error)
  if (/^[0-9A-Z]{5}$/.test(code) && error instanceof Error && 'severity' in error) return code
  return error instanceof Error && error.cause !== undefined ? sqlStateOf(error.cause) : ''
}

/** Whether the database was away, overloaded or asked us to try again. */
export function isTransient(error: unknown): boolean {
  const code = codeOf(error)
  if (RETRYABLE_SYSTEM.has(code) || RETRYABLE_STATES.has(code)) return true
  if (code.length === 5 && RETRYABLE_CLASSES.has(code.slice(0, 2))) return true
  return error instanceof Error && RETRYABLE_MESSAGES.test(error.message)
}

/** RetryableError where trying again can help, else the error itself. */
export const asDatabaseError = (error: unknown): unknown =>
  isTransient(error)
    ? new RetryableError('PostgreSQL is away or asked to try again', { cause: error, details: { dependency: 'postgres' } })
    : error

import type { Problem } from '@tocsin/contracts'
import { messageOf, TerminalError } from '@tocsin/errors'

const REQUEST_LIMIT_MS = 70_000

export interface ApiAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly token: string
  readonly body?: string | Uint8Array<ArrayBuffer>
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** One request of the front door, whatever its status. Throws TerminalError when nobody answers. */
export async function ask(url: string, request: ApiRequest): Promise<ApiAnswer> {
  let answer: Response
  try {
    answer = await fetch(url, {
      method: request.method ?? 'GET',
      headers: {
        ...request.headers,
        authorization: `Bearer ${request.token}`,
        'x-tocsin-channel': 'cli',
        ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
      },
      ...(request.body === undefined ? {} : { body: request.body }),
      signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
    })
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error)
    throw new TerminalError(`${new URL(url).origin} does not answer (${cause || 'no reason given'}). Is Tocsin running?`, {
      code: 'TOCSIN_DEPENDENCY_AWAY',
      cause: error,
    })
  }
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: parse(text) }
}

/** The body of a request that must succeed. Throws TerminalError with the problem's detail. */
export async function fetchJson<T>(url: string, request: ApiRequest): Promise<T> {
  const answer = await ask(url, request)
  if (answer.status >= 400) throw new TerminalError(describe(answer))
  return answer.body as T
}

/** A failed answer in one line. */
export function describe({ status, body }: Pick<ApiAnswer, 'status' | 'body'>): string {
  const { detail, title, code } = (typeof body === 'object' && body !== null ? body : {}) as Partial<Problem>
  return `${detail ?? title ?? 'The request failed.'} (${status}${code === undefined ? '' : ` ${code}`})`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

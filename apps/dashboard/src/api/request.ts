import type { Problem } from '@tocsin/contracts'

/** A failed request as the server told it (RFC 9457), or as the network left it. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.code = code
  }
}

interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

async function request(path: string, { method = 'GET', body, headers = {}, signal }: RequestOptions = {}): Promise<Response> {
  const response = await fetch(path, {
    method,
    // The gateway asks for this header on every write with a cookie: other sites cannot set it.
    headers: {
      accept: 'application/json',
      ...(method === 'GET' ? {} : { 'x-tocsin-csrf': '1', 'x-tocsin-channel': 'dashboard' }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? null : JSON.stringify(body),
    signal: signal ?? null,
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError(0, 'UNREACHABLE', 'Tocsin cannot be reached. Check that it runs and that you are online.')
  })
  if (response.ok) return response
  const problem = (await response.json().catch(() => null)) as Partial<Problem> | null
  throw new ApiError(
    response.status,
    problem?.code ?? 'UNKNOWN',
    problem?.detail ?? problem?.title ?? `The server answered ${response.status}.`,
  )
}

export async function call<T>(path: string, options?: RequestOptions): Promise<T> {
  const response = await request(path, options)
  return (response.status === 204 ? undefined : await response.json()) as T
}

/** An answer with its `ETag`, for `If-Match`. */
export interface Tagged<T> {
  readonly body: T
  readonly etag: string
}

export async function callTagged<T>(path: string, options?: RequestOptions): Promise<Tagged<T>> {
  const response = await request(path, options)
  return { body: (await response.json()) as T, etag: response.headers.get('etag') ?? '*' }
}

/** Saves what is at the address under a name: asked for here and not by a link, so that a refusal is told as one. */
export async function save(path: string, name: string): Promise<void> {
  const address = URL.createObjectURL(await (await request(path)).blob())
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  // The browser takes its own reference when the click begins.
  setTimeout(() => URL.revokeObjectURL(address))
}

/** A query with the organization, and what else is asked. */
export const inOrganization = (organizationId: string, asked: Readonly<Record<string, string | number>> = {}): string =>
  `?${new URLSearchParams({
    organizationId,
    ...Object.fromEntries(Object.entries(asked).map(([name, value]) => [name, String(value)])),
  })}`

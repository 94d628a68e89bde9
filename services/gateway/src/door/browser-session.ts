/**
 * The browser's cookie (security.md §1): a sealed token, HttpOnly, SameSite=Lax; with the prefix __Host- and Secure except on
 * plain-HTTP loopback. Pages of other sites can make a browser send it, so writes need our own Origin and a header that only our
 * own pages can set.
 */
import { fastifyCookie as cookie } from '@fastify/cookie'
import { type KeyRing, openCookie, sealCookie } from '@tocsin/access'
import { HttpProblem } from '@tocsin/errors'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
export const CSRF_HEADER = 'x-tocsin-csrf'

export interface BrowserSessions {
  /** Origin of PUBLIC_URL, as browsers send it. */
  readonly origin: string
  /** The token in the request's Cookie header; undefined when there is none of ours. */
  tokenOf(cookieHeader: string | undefined): string | undefined
  /** Set-Cookie that signs in. */
  start(token: string, seconds: number): string
  /** Set-Cookie that signs out. */
  end(): string
  /** Throws HttpProblem 403 unless a write with the cookie comes from our own page. */
  guardWrite(request: {
    readonly method: string
    readonly headers: Readonly<Record<string, string | string[] | undefined>>
  }): void
}

export function createBrowserSessions(ring: KeyRing, publicUrl: string): BrowserSessions {
  const { origin, protocol } = new URL(publicUrl)
  const secure = protocol === 'https:'
  const name = secure ? '__Host-tocsin' : 'tocsin'
  const attributes = { httpOnly: true, secure, sameSite: 'lax', path: '/' } as const
  return {
    origin,
    tokenOf: (header) => {
      const sealed = header === undefined ? undefined : cookie.parse(header)[name]
      return sealed === undefined ? undefined : (openCookie(ring, sealed) ?? undefined)
    },
    start: (token, seconds) => cookie.serialize(name, sealCookie(ring, token), { ...attributes, maxAge: seconds }),
    end: () => cookie.serialize(name, '', { ...attributes, maxAge: 0 }),
    guardWrite: ({ method, headers }) => {
      if (SAFE_METHODS.has(method)) return
      if (headers['origin'] !== origin) throw new HttpProblem(403, 'WRONG_ORIGIN', `With a cookie, Origin must be ${origin}.`)
      if ((headers[CSRF_HEADER] ?? '') === '')
        throw new HttpProblem(403, 'CSRF_HEADER_MISSING', `With a cookie, a write needs the header ${CSRF_HEADER}.`)
    },
  }
}

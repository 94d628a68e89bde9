/** Who opens a socket, and which subprotocol is selected (security.md §1). Pure. */

export const PROTOCOL = 'tocsin.v1'
const BEARER = 'bearer.'

export interface Offer {
  /** Sec-WebSocket-Protocol, in order. */
  readonly protocols: readonly string[]
  readonly authorization: string | undefined
  /** The token in the sealed cookie, already opened. */
  readonly cookieToken: string | undefined
  readonly origin: string | undefined
}

export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'refused'; readonly status: 401 | 403; readonly code: string; readonly detail: string }

/** A token that was sent on purpose wins; the cookie, which browsers send by themselves, counts only from our own pages. */
export function credentials(offer: Offer, publicOrigin: string): Credentials {
  const offered = offer.protocols.find((each) => each.startsWith(BEARER))?.slice(BEARER.length)
  const token = offered ?? /^Bearer +(\S+)$/i.exec(offer.authorization ?? '')?.[1]
  if (token !== undefined) return { kind: 'token', token }
  if (offer.cookieToken === undefined)
    return {
      kind: 'refused',
      status: 401,
      code: 'UNAUTHENTICATED',
      detail: 'Offer the subprotocols tocsin.v1 and bearer.<token>, or sign in.',
    }
  if (offer.origin !== publicOrigin)
    return {
      kind: 'refused',
      status: 403,
      code: 'WRONG_ORIGIN',
      detail: 'With a cookie, Origin must be the address of this installation.',
    }
  return { kind: 'token', token: offer.cookieToken }
}

/**
 * `tocsin.v1` where offered. A bearer value is echoed only when nothing else was offered: a token has no place in an answer, but a
 * browser refuses a connection on which none of its offers was selected.
 */
export function selectProtocol(offered: ReadonlySet<string>): string | false {
  if (offered.has(PROTOCOL)) return PROTOCOL
  const [only] = offered
  return offered.size === 1 && only?.startsWith(BEARER) === true ? only : false
}

import { childTraceparent } from '@tocsin/telemetry'

type Headers = Readonly<Record<string, string | string[] | undefined>>

/**
 * What a client may not tell the services behind the gateway: who it is other than by its token, and whence it came. `cookie` is
 * the gateway's own; `expect` was answered here; hop-by-hop headers end here. `x-tocsin-channel` claims no identity and passes.
 */
const STRIPPED =
  /^(?:x-forwarded-.*|forwarded|via|x-real-ip|x-client-ip|true-client-ip|cf-.*|x-user(?:-.*)?|x-organization(?:-.*)?|x-tenant(?:-.*)?|x-subject|x-auth-.*|x-tocsin-(?!channel$).*|remote-user|cookie|expect|te|trailer|upgrade|keep-alive|proxy-.*)$/

/** Headers for the service: the client's, less those that claim an identity, with the gateway's own. */
export function forwardedHeaders(
  headers: Headers,
  from: { readonly remoteAddress: string; readonly publicUrl: URL; readonly method: string; readonly bearer: string | undefined },
): Record<string, string | string[]> {
  const forwarded: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers)) if (value !== undefined && !STRIPPED.test(name)) forwarded[name] = value
  // A body on these is not passed on, so neither is its length.
  if (from.method === 'GET' || from.method === 'HEAD')
    for (const name of ['content-length', 'transfer-encoding', 'content-type']) delete forwarded[name]
  if (from.bearer !== undefined) forwarded['authorization'] = `Bearer ${from.bearer}`
  forwarded['x-forwarded-for'] = from.remoteAddress
  forwarded['x-forwarded-proto'] = from.publicUrl.protocol.slice(0, -1)
  forwarded['x-forwarded-host'] = from.publicUrl.host
  const traceparent = headers['traceparent']
  forwarded['traceparent'] = childTraceparent(typeof traceparent === 'string' ? traceparent : undefined)
  return forwarded
}

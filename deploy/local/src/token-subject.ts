/** For whom a token was issued. Only for tokens that this machine has just been given: the signature is not looked at. */
export function subjectOf(token: string): string {
  const [, payload] = token.split('.')
  const claims: unknown = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString('utf8'))
  if (typeof claims !== 'object' || claims === null || !('sub' in claims)) throw new Error('the token names no subject')
  return String(claims.sub)
}

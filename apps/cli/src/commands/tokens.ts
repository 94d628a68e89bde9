import type { ApiKey, ApiKeyCreated, KeyScope, TokenCreated } from '@tocsin/contracts'
import { fetchJson } from '../api.ts'
import { type Output, plain } from '../output.ts'

export interface TokensAccess {
  readonly url: string
  readonly token: string
  readonly organizationId?: string | undefined
  readonly json?: boolean | undefined
  readonly output: Output
}

const addressOf = ({ url, organizationId }: TokensAccess, path = ''): string =>
  `${url}/api/keys${path}${organizationId === undefined ? '' : `?organizationId=${encodeURIComponent(organizationId)}`}`

/** `tocsin tokens create NAME --scope …`: an API key, shown once. Returns the exit code. */
export async function createApiKey(
  access: TokensAccess & { readonly name: string; readonly scopes: readonly KeyScope[]; readonly source?: string | undefined },
): Promise<number> {
  const { name, scopes, source, token, json, output } = access
  const body = JSON.stringify({ name, scopes, ...(source === undefined ? {} : { source }) })
  return tell(await fetchJson<ApiKeyCreated>(addressOf(access), { method: 'POST', token, body }), json, output)
}

/** `tocsin tokens rotate ID`. */
export async function rotateApiKey(access: TokensAccess & { readonly id: string }): Promise<number> {
  const { id, token, json, output } = access
  const url = addressOf(access, `/${encodeURIComponent(id)}/rotate`)
  return tell(await fetchJson<ApiKeyCreated>(url, { method: 'POST', token }), json, output)
}

/** `tocsin tokens ls`. */
export async function listApiKeys(access: TokensAccess): Promise<number> {
  const { items } = await fetchJson<{ items: ApiKey[] }>(addressOf(access), { token: access.token })
  if (access.json === true) access.output.result(JSON.stringify(items))
  else
    for (const { id, scopes, createdAt, lastUsedAt, expiresAt, name } of items)
      access.output.result(
        plain(
          `${id}  ${scopes.join(',')}  made ${createdAt}  used ${lastUsedAt ?? 'never, as far as is known'}${expiresAt === null ? '' : `  ends ${expiresAt}`}  ${name}`,
        ),
      )
  return 0
}

/** `tocsin tokens revoke ID`. */
export async function revokeApiKey(access: TokensAccess & { readonly id: string }): Promise<number> {
  const { id, token, output } = access
  const key = await fetchJson<ApiKey>(addressOf(access, `/${encodeURIComponent(id)}`), { method: 'DELETE', token })
  output.result(plain(`${key.id} revoked`))
  return 0
}

/** `tocsin tokens personal`: a token that may do what you may. */
export async function createPersonalToken({
  url,
  token,
  days,
  json,
  output,
}: TokensAccess & { readonly days: number }): Promise<number> {
  const made = await fetchJson<TokenCreated>(`${url}/api/me/tokens`, { method: 'POST', token, body: JSON.stringify({ days }) })
  output.result(json === true ? JSON.stringify(made) : `${made.token}\n(until ${made.expiresAt}; shown this once)`)
  return 0
}

function tell(made: ApiKeyCreated, json: boolean | undefined, output: Output): number {
  output.result(json === true ? JSON.stringify(made) : `${made.key}\n(id ${made.id}; the key is shown this once)`)
  return 0
}

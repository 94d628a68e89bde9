import { issueServiceToken, issueSignInLink, loadKeyRing } from '@tocsin/access'
import type { Bootstrapped } from '@tocsin/contracts'
import { fetchJson } from '../api.ts'
import { type Output, plain } from '../output.ts'

export interface BootstrapOptions {
  /** The front door as people reach it: the links lead there. */
  readonly url: string
  /** KEYS_FILE of the services: who can read it can make every token, so it is proof enough. */
  readonly keysFile: string
  readonly organization: string
  readonly admin: string
  readonly operator: string
  readonly output: Output
}

/**
 * `tocsin bootstrap`: first operator, organization and admin of a fresh installation, and links that sign them in once. Fails when
 * there is an operator already; nothing is changed then. Returns the exit code.
 */
export async function bootstrap({ url, keysFile, organization, admin, operator, output }: BootstrapOptions): Promise<number> {
  const ring = await loadKeyRing(keysFile)
  const token = await issueServiceToken(ring, { caller: 'bootstrap', audience: 'persistence' })
  const { organizationId, slug, ingestKey } = await fetchJson<Bootstrapped>(`${url}/api/bootstrap`, {
    method: 'POST',
    token,
    body: JSON.stringify({ organization, admin, operator }),
  })
  output.result(plain(`organization  ${organizationId} (${slug})`))
  output.result(`ingest key    ${ingestKey}`)
  for (const subject of new Set([admin, operator]))
    output.result(`${plain(`sign in as ${subject}`)}: ${await issueSignInLink(ring, url, subject)}`)
  output.note('The key is shown this once. Each link works once, within 10 minutes.')
  return 0
}

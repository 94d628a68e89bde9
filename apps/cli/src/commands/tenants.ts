import type { CreateOrganization, DeleteOrganization, OrganizationCreated, OrganizationDeletion } from '@tocsin/contracts'
import { fetchJson } from '../api.ts'
import { type Output, plain } from '../output.ts'

interface OperatorAccess {
  readonly url: string
  readonly operatorToken: string
  readonly json?: boolean | undefined
  readonly output: Output
}

export interface CreateTenant extends OperatorAccess {
  readonly name: string
  readonly slug?: string | undefined
  readonly emails: readonly string[]
  readonly slackChannels: readonly string[]
  readonly phoneNumbers: readonly string[]
  readonly zone?: string | undefined
  /** People are told without the delays that give others time to acknowledge. */
  readonly atOnce?: boolean | undefined
}

/** `tocsin tenants create`: prints what is shown only once. Returns the exit code. */
export async function createTenant(options: CreateTenant): Promise<number> {
  const { output } = options
  const settings: NonNullable<CreateOrganization['settings']> = {
    ...(options.zone === undefined ? {} : { zone: options.zone }),
    ...(options.atOnce === true ? { notificationDelaysMs: { CRITICAL: 0, HIGH: 0, MEDIUM: 0, LOW: 0, INFO: 0 } } : {}),
  }
  const wanted: CreateOrganization = {
    name: options.name,
    ...(options.slug === undefined ? {} : { slug: options.slug }),
    settings,
    recipients: {
      emails: [...options.emails],
      slackChannels: [...options.slackChannels],
      phoneNumbers: [...options.phoneNumbers],
    },
  }
  const created = await fetchJson<OrganizationCreated>(`${options.url}/api/organizations`, {
    method: 'POST',
    token: options.operatorToken,
    body: JSON.stringify(wanted),
  })
  const { organizationId, slug, ingestKey, token, warnings } = created
  for (const warning of warnings) output.note(plain(`warning: ${warning}`))
  if (options.json === true) output.result(JSON.stringify({ organizationId, slug, ingestKey, token, warnings }))
  else
    output.result(
      plain(`organization  ${organizationId} (${slug})`) +
        `\ningest key    ${ingestKey}\ntoken         ${token}\nKey and token are shown this once.`,
    )
  return 0
}

/** `tocsin tenants delete`. Returns the exit code. */
export async function deleteTenant(
  options: OperatorAccess & { readonly id: string; readonly confirm: string; readonly reason: string },
): Promise<number> {
  const { url, operatorToken, id, confirm, reason, output } = options
  const deletion = await fetchJson<OrganizationDeletion>(`${url}/api/organizations/${encodeURIComponent(id)}/delete`, {
    method: 'POST',
    token: operatorToken,
    body: JSON.stringify({ confirm, reason } satisfies DeleteOrganization),
  })
  if (options.json === true) output.result(JSON.stringify(deletion))
  else
    output.result(
      plain(
        `${deletion.slug} is deleted, and nothing of it can be read again. Its rows go now: tocsin tenants deleted shows how far.`,
      ),
    )
  return 0
}

/** `tocsin tenants deleted`. Returns the exit code. */
export async function listDeletedTenants({ url, operatorToken, json, output }: OperatorAccess): Promise<number> {
  const { items } = await fetchJson<{ items: OrganizationDeletion[] }>(`${url}/api/organizations/deletions`, {
    token: operatorToken,
  })
  if (json === true) output.result(JSON.stringify(items))
  else
    for (const { deletedAt, organizationId, slug, deletedBy, reason, removed, finishedAt } of items)
      output.result(
        plain(
          `${deletedAt}  ${organizationId}  ${slug}  by ${deletedBy}: ${reason} (${removed} rows gone${finishedAt === null ? ', going on' : ''})`,
        ),
      )
  return 0
}

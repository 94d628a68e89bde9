import type { CreateOrganization, OrganizationCreated } from '@tocsin/contracts'
import { fetchJson } from '../api.ts'
import { type Output, plain } from '../output.ts'

export interface CreateTenant {
  readonly url: string
  readonly operatorToken: string
  readonly name: string
  readonly slug?: string | undefined
  readonly emails: readonly string[]
  readonly slackChannels: readonly string[]
  readonly phoneNumbers: readonly string[]
  readonly zone?: string | undefined
  /** People are told without the delays that give others time to acknowledge. */
  readonly atOnce?: boolean | undefined
  readonly json?: boolean | undefined
  readonly output: Output
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

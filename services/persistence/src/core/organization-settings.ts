import type { FieldError, OrganizationHealth, OrganizationSettings, Recipients } from '@tocsin/contracts'
import { detectionFaults } from '@tocsin/engine'

export const NO_RECIPIENTS: Recipients = { emails: [], slackChannels: [], phoneNumbers: [] }

const NOBODY_TOLD = {
  code: 'NOBODY_TOLD',
  message:
    'Nobody would be told of an alert: no e-mail address, Slack channel or phone number is set. Add one to the recipients.',
}

export function healthOf(recipients: Recipients): OrganizationHealth {
  const told = recipients.emails.length + recipients.slackChannels.length + recipients.phoneNumbers.length
  return told > 0 ? { status: 'OK', problems: [] } : { status: 'WARNING', problems: [NOBODY_TOLD] }
}

/** As the answer to creating says it: code first, for programs. */
export const warningsOf = (recipients: Recipients): string[] =>
  healthOf(recipients).problems.map(({ code, message }) => `${code}: ${message}`)

const BY_SEVERITY = ['notificationDelaysMs', 'acknowledgementExpiryMs', 'retentionDays'] as const

/** Fields that `change` names are replaced, those by severity one severity at a time; the others stay. */
export function withSettings(settings: OrganizationSettings, change: OrganizationSettings = {}): OrganizationSettings {
  const next = { ...settings, ...change }
  for (const name of BY_SEVERITY) if (name in next) Object.assign(next, { [name]: { ...settings[name], ...change[name] } })
  return next
}

const isZone = (zone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    // Offsets such as +02:00 are accepted by Intl, but have no calendar of summer time.
    return !/^[+-]/.test(zone)
  } catch {
    return false
  }
}
const isDate = (date: string): boolean => {
  const time = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date)
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
const CONTROL = /[\u0000-\u001f\u007f]/
const isEmail = (text: string): boolean => /^[^\s@<>,;]+@[^\s@<>,;]+$/.test(text) && !CONTROL.test(text)
const isText = (text: string): boolean => text.trim() !== '' && !CONTROL.test(text)

/** What the schema cannot say. Empty when all is well. */
export function settingsFaults(settings: OrganizationSettings, recipients: Partial<Recipients>): FieldError[] {
  const fault = (pointer: string, detail: string): FieldError => ({ code: 'INVALID_VALUE', pointer, detail })
  return [
    ...(settings.zone === undefined || isZone(settings.zone) ? [] : [fault('/settings/zone', 'not an IANA time zone')]),
    ...(settings.holidays ?? []).flatMap((date, at) => (isDate(date) ? [] : [fault(`/settings/holidays/${at}`, 'no such date')])),
    ...detectionFaults(settings).map(({ pointer, detail }) => fault(`/settings${pointer}`, detail)),
    ...(recipients.emails ?? []).flatMap((each, at) =>
      isEmail(each) ? [] : [fault(`/recipients/emails/${at}`, 'not an e-mail address')],
    ),
    ...(['slackChannels', 'phoneNumbers'] as const).flatMap((list) =>
      (recipients[list] ?? []).flatMap((each, at) =>
        isText(each) ? [] : [fault(`/recipients/${list}/${at}`, 'empty or with control characters')],
      ),
    ),
  ]
}

const MAX_SLUG = 63

/** A slug of a name: lower-case letters, digits and single dashes; `organization` where nothing is left. */
export function slugOf(name: string): string {
  const plain = name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_SLUG)
    .replaceAll(/^-+|-+$/g, '')
  return plain === '' ? 'organization' : plain
}

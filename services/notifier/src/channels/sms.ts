import { type Static, Type } from 'typebox'
import { type Channel, DeliveryFault, type SendContext, type Telling } from './channel.ts'
import { httpFault, networkFault } from './http-fault.ts'
import { oneLine, sentenceOf } from './wording.ts'

export const SmsConfig = Type.Object({
  SMS_API_URL: Type.String({ description: 'Base address of a Twilio-shaped API, without /2010-04-01', pattern: '^https?://' }),
  SMS_ACCOUNT: Type.String({
    description: 'Account id (Twilio: AccountSid)',
    pattern: '^[A-Za-z0-9]{1,64}$',
    default: 'ACdevelopment',
  }),
  SMS_TOKEN: Type.String({ description: 'Secret of the account', default: 'development', secret: true }),
  SMS_FROM: Type.String({ description: 'Sender number or name', default: '+15005550006' }),
})

export interface SmsMessage {
  readonly body: string
}

/** One SMS in the GSM 7-bit alphabet; a longer one would be split, charged and joined again by luck. */
const SMS_LENGTH = 160
/** E.164, with the spaces and dashes that people type. */
const NUMBER = /^\+[1-9][0-9 ()-]{5,20}$/
/** Twilio's codes for a number that cannot or may not be written to. */
const REFUSED_NUMBER: ReadonlySet<number> = new Set([21211, 21214, 21217, 21610, 21612, 21614, 30003, 30004, 30005, 30006])
const ANSWER_LIMIT_BYTES = 65_536

export function createSms(config: Static<typeof SmsConfig>): Channel<SmsMessage> {
  const address = `${config.SMS_API_URL.replace(/\/+$/, '')}/2010-04-01/Accounts/${config.SMS_ACCOUNT}/Messages.json`
  const authorization = `Basic ${Buffer.from(`${config.SMS_ACCOUNT}:${config.SMS_TOKEN}`).toString('base64')}`
  return {
    name: 'sms',
    render: renderSms,
    close: () => undefined,
    async send(message, { destination, signal }: SendContext) {
      if (!NUMBER.test(destination)) throw new DeliveryFault('destination', 'sms_invalid_number')
      const body = new URLSearchParams({ To: destination.replace(/[ ()-]/g, ''), From: config.SMS_FROM, Body: message.body })
      let status: number
      let retryAfter: string | null
      let answer: Record<string, unknown> | null
      try {
        const response = await fetch(address, { method: 'POST', headers: { authorization }, body, redirect: 'manual', signal })
        status = response.status
        retryAfter = response.headers.get('retry-after')
        answer = parseObject(await readLimited(response))
      } catch (error) {
        throw networkFault(error, signal)
      }
      if (status < 200 || status > 299) {
        if (typeof answer?.code === 'number' && REFUSED_NUMBER.has(answer.code)) {
          throw new DeliveryFault('destination', `sms_${answer.code}`)
        }
        throw httpFault(status, retryAfter, Date.now())
      }
      // Accepted by status; without an id there is nothing to ask the provider about later, and that is all.
      const sid = typeof answer?.sid === 'string' && /^[A-Za-z0-9]{1,64}$/.test(answer.sid) ? answer.sid : 'unknown'
      return { providerId: sid, ref: { sid } }
    },
  }
}

/** Severity, title and link in at most 160 characters; the title gives way first, the link last. */
export function renderSms(telling: Telling): SmsMessage {
  const { alert, url } = telling
  const link = gsmLength(url) <= 110 ? ` ${url}` : ''
  const late = telling.late ? ' (late)' : ''
  const what = telling.event === 'created' && alert.open ? '' : ` ${sentenceOf(telling)}`
  const text = gsmText(`Tocsin ${alert.severity}${late}: ${oneLine(alert.title)}.${what}`.replace(/\.\./g, '.'))
  const room = SMS_LENGTH - gsmLength(link)
  return { body: `${cutGsm(text, room)}${link}` }
}

/** Characters of the GSM extension table take two places. */
const EXTENDED = /[\^{}\\[\]~|]/g
const gsmLength = (text: string): number => text.length + (text.match(EXTENDED)?.length ?? 0)

/** To the part of the GSM alphabet that ASCII shares: one other character would turn 160 places into 70. */
function gsmText(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .replace(/[‘’`´]/g, "'")
    .replace(/[“”«»]/g, '"')
    .replace(/[–—]/g, '-')
    .replace(/…/g, '...')
    .replace(/[^\x20-\x7e]/gu, '?')
}

function cutGsm(text: string, room: number): string {
  if (gsmLength(text) <= room) return text
  let end = text
  while (gsmLength(end) > room - 3) end = end.slice(0, -1)
  return `${end.trimEnd()}...`
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

/** At most 64 KiB of an answer are read: a provider cannot fill our memory. */
async function readLimited(response: Response): Promise<string> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body) {
    size += chunk.byteLength
    if (size > ANSWER_LIMIT_BYTES) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

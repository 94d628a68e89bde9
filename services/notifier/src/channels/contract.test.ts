/** What every channel promises, tried on each against a stand-in that misbehaves as the real provider does. */
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Breakers } from '../breakers.ts'
import { type Accepted, type Channel, DeliveryFault, type FaultEffect } from './channel.ts'
import { createConsole } from './console.ts'
import { createEmail } from './email.ts'
import { createSlack } from './slack.ts'
import { createSms } from './sms.ts'
import {
  type Answer,
  hangUp,
  json,
  slackAccepts,
  slowBody,
  smsAccepts,
  stall,
  startProvider,
  type TestProvider,
} from './stand-ins/http-provider.ts'
import { deadPort, type SmtpMode, startSmtp, type TestSmtp } from './stand-ins/smtp.ts'
import { tellingWith } from './stand-ins/telling.ts'

const SECRET = 'xoxb-hunter2'
const TIMEOUT_MS = 400

interface Behaviour {
  readonly title: string
  readonly arrange: () => void
  readonly effect: FaultEffect
  readonly code: RegExp
  readonly retryAfterMs?: number
}
interface Case {
  readonly name: string
  readonly channel: () => Channel<unknown>
  readonly destination: string
  readonly received: () => number
  readonly faults: readonly Behaviour[]
  readonly badDestinations: readonly string[]
}

let smtp: TestSmtp
let slack: TestProvider
let sms: TestProvider
let nobody: number
let logged = 0
const channels: Channel<unknown>[] = []
const keep = (channel: Channel<never>): Channel<unknown> => {
  channels.push(channel as unknown as Channel<unknown>)
  return channel as unknown as Channel<unknown>
}

beforeAll(async () => {
  smtp = await startSmtp()
  slack = await startProvider(slackAccepts)
  sms = await startProvider(smsAccepts)
  nobody = await deadPort()
})
afterEach(() => {
  smtp.mode = 'accept'
  slack.answer = slackAccepts
  sms.answer = smsAccepts
})
afterAll(async () => {
  for (const channel of channels) channel.close()
  await Promise.all([smtp.close(), slack.close(), sms.close()])
})

const email = (url: string) =>
  keep(createEmail({ SMTP_URL: url, MAIL_FROM: 'tocsin@localhost', SEND_TIMEOUT_MS: 20_000 }) as Channel<never>)
const slackAt = (url: string) => keep(createSlack({ SLACK_API_URL: `${url}/slack/api/`, SLACK_TOKEN: SECRET }) as Channel<never>)
const smsAt = (url: string) =>
  keep(
    createSms({ SMS_API_URL: `${url}/sms`, SMS_ACCOUNT: 'AC1', SMS_TOKEN: SECRET, SMS_FROM: '+15005550006' }) as Channel<never>,
  )
const says = (provider: () => TestProvider, answer: Answer) => () => {
  provider().answer = answer
}
const behaves = (mode: SmtpMode) => () => {
  smtp.mode = mode
}
const slackSays = (title: string, body: unknown, effect: FaultEffect, code: RegExp): Behaviour => ({
  title,
  effect,
  code,
  arrange: () => {
    slack.answer = json(200, body)
  },
})
const answers = (
  provider: () => TestProvider,
  status: number,
  effect: FaultEffect,
  headers = {},
  retryAfterMs?: number,
): Behaviour => ({
  title: `status ${status}`,
  effect,
  code: /http_\d+|slack_rate_limited/,
  arrange: () => {
    provider().answer = json(status, { message: SECRET, error: SECRET }, headers)
  },
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
})
const misbehaves = (provider: () => TestProvider): Behaviour[] => [
  answers(provider, 408, 'retry'),
  answers(provider, 429, 'retry', { 'retry-after': '7' }, 7_000),
  answers(provider, 429, 'retry', {}, 30_000),
  answers(provider, 500, 'retry'),
  answers(provider, 503, 'retry'),
  answers(provider, 401, 'destination'),
  answers(provider, 403, 'destination'),
  answers(provider, 404, 'destination'),
  answers(provider, 410, 'destination'),
  answers(provider, 400, 'message'),
  answers(provider, 413, 'message'),
  answers(provider, 422, 'message'),
  { title: 'never answers', effect: 'retry', code: /^timeout$/, arrange: says(provider, stall) },
  { title: 'begins an answer and stops', effect: 'retry', code: /^timeout$/, arrange: says(provider, slowBody) },
  { title: 'hangs up', effect: 'retry', code: /^network/, arrange: says(provider, hangUp) },
]

const cases: Case[] = [
  {
    name: 'email',
    channel: () => email(smtp.url),
    destination: 'ops@example.org',
    received: () => smtp.mails.length,
    faults: [
      { title: 'greylists (451)', effect: 'retry', code: /^smtp_451$/, arrange: behaves('busy') },
      { title: 'never greets', effect: 'retry', code: /^timeout$/, arrange: behaves('stall') },
      {
        title: 'drops the connection after DATA',
        effect: 'retry',
        code: /^smtp_e/,
        arrange: behaves('drop-after-data'),
      },
      {
        title: 'refuses the address (550)',
        effect: 'destination',
        code: /^smtp_550$/,
        arrange: behaves('refuse-address'),
      },
      {
        title: 'refuses the message (554)',
        effect: 'message',
        code: /^smtp_554$/,
        arrange: behaves('refuse-message'),
      },
    ],
    badDestinations: ['ops@example.org\r\nBcc: x@example.org', 'a@b, c@d', 'Ops <ops@example.org>', 'nobody', ''],
  },
  {
    name: 'slack',
    channel: () => slackAt(slack.url),
    destination: '#alerts',
    received: () => slack.calls.length,
    faults: [
      ...misbehaves(() => slack),
      slackSays('invalid_auth', { ok: false, error: 'invalid_auth' }, 'destination', /^slack_invalid_auth$/),
      slackSays('channel_not_found', { ok: false, error: 'channel_not_found' }, 'destination', /^slack_channel_not_found$/),
      slackSays('is_archived', { ok: false, error: 'is_archived' }, 'destination', /^slack_is_archived$/),
      slackSays('invalid_blocks', { ok: false, error: 'invalid_blocks' }, 'message', /^slack_invalid_blocks$/),
      slackSays('internal_error', { ok: false, error: 'internal_error' }, 'retry', /^slack_internal_error$/),
      slackSays('text of something else', { ok: false, error: `<html>${SECRET}` }, 'retry', /^slack_unreadable_answer$/),
      {
        title: 'redirects elsewhere',
        effect: 'retry',
        code: /^network/,
        arrange: () => says(() => slack, json(302, {}, { location: `${sms.url}/elsewhere` }))(),
      },
    ],
    badDestinations: [],
  },
  {
    name: 'sms',
    channel: () => smsAt(sms.url),
    destination: '+49 170 1234567',
    received: () => sms.calls.length,
    faults: [
      ...misbehaves(() => sms),
      {
        title: 'knows no such number (21211)',
        effect: 'destination',
        code: /^sms_21211$/,
        arrange: says(() => sms, json(400, { code: 21211, message: SECRET })),
      },
    ],
    badDestinations: ['0170 1234567', '+49<script>', ''],
  },
  {
    name: 'console',
    channel: () =>
      keep(
        createConsole(() => {
          logged += 1
        }) as Channel<never>,
      ),
    destination: 'log',
    received: () => logged,
    faults: [],
    badDestinations: [],
  },
]

const breakersOf = (timeoutMs: number) =>
  new Breakers(
    {
      timeoutMs,
      errorThresholdPercentage: 100,
      volumeThreshold: 1_000,
      rollingCountMs: 60_000,
      resetMs: 1_000,
      idleMs: 1_000,
    },
    () => undefined,
  )
const patient = breakersOf(20_000)
/** Only where the time of an attempt is to run out: a loaded machine may need long for what works. */
const hasty = breakersOf(TIMEOUT_MS)
afterAll(() => {
  patient.close()
  hasty.close()
})

const send = (channel: Channel<unknown>, destination: string, previous: Accepted['ref'] | null = null, breakers = patient) =>
  breakers.fire(channel.name, async (signal) =>
    channel.send(channel.render(tellingWith(previous === null ? {} : { send: 'follow', event: 'closed', change: 'closed' })), {
      destination,
      previous,
      signal,
    }),
  )

async function faultOf(work: Promise<unknown>): Promise<DeliveryFault> {
  const error: unknown = await work.then(
    () => new Error('it was accepted'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof DeliveryFault)) throw error
  return error
}

describe.each(cases)('$name', ({ channel, destination, received, faults, badDestinations }) => {
  it('resolves with an id and a reference when the provider has accepted', async () => {
    const before = received()
    const accepted = await send(channel(), destination)
    expect(accepted.providerId).not.toBe('')
    expect(Object.keys(accepted.ref)).not.toHaveLength(0)
    expect(received()).toBe(before + 1)
  })

  it('continues what it sent before', async () => {
    const one = channel()
    const first = await send(one, destination)
    const second = await send(one, destination, first.ref)
    expect(second.providerId).not.toBe('')
  })

  it('renders the same message from the same telling', () => {
    expect(channel().render(tellingWith())).toEqual(channel().render(tellingWith()))
  })

  for (const fault of faults) {
    it(`says ${fault.effect} when the provider ${fault.title}`, async () => {
      fault.arrange()
      const found = await faultOf(send(channel(), destination, null, fault.code.source === '^timeout$' ? hasty : patient))
      expect({ effect: found.effect, code: found.code }).toEqual({
        effect: fault.effect,
        code: expect.stringMatching(fault.code),
      })
      if (fault.retryAfterMs !== undefined) expect(found.retryAfterMs).toBe(fault.retryAfterMs)
      expect(inspect(found, { depth: 10, showHidden: true })).not.toMatch(/hunter2/)
    })
  }

  for (const bad of badDestinations) {
    it(`refuses the destination ${JSON.stringify(bad)} without asking the provider`, async () => {
      const before = received()
      expect((await faultOf(send(channel(), bad))).effect).toBe('destination')
      expect(received()).toBe(before)
    })
  }
})

it.each([
  ['email', () => email(`smtp://127.0.0.1:${nobody}`), 'ops@example.org'],
  ['slack', () => slackAt(`http://127.0.0.1:${nobody}`), '#alerts'],
  ['sms', () => smsAt(`http://127.0.0.1:${nobody}`), '+491701234567'],
] as const)('%s is worth retrying while nothing listens', async (_name, channel, destination) => {
  expect(await faultOf(send(channel(), destination))).toMatchObject({ effect: 'retry', retryAfterMs: null })
})

it('a refused login of the installation is worth retrying and shows no password', async () => {
  smtp.mode = 'refuse-login'
  const url = smtp.url.replace('smtp://', 'smtp://tocsin:hunter2@')
  const fault = await faultOf(send(email(url), 'ops@example.org'))
  expect(fault).toMatchObject({ effect: 'retry', code: 'smtp_login_refused' })
  expect(inspect(fault, { depth: 10, showHidden: true })).not.toMatch(/hunter2/)
})

import { connect } from 'node:net'
import { createLogger } from '@tocsin/telemetry'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createMailbox, type RunningMailbox } from './app.ts'
import type { Message } from './messages.ts'

const ALERT = '3f1d6a52-0c6f-5b1e-9d43-6a2f6f6d1c11'
let mailbox: RunningMailbox
let base: string
beforeAll(async () => {
  const config = {
    TOCSIN_ENV: 'development',
    LOG_LEVEL: 'silent',
    HOST: '127.0.0.1',
    METRICS_PORT: 0,
    PORT: 0,
    SMTP_PORT: 0,
    MAILBOX_KEEPS: 20,
  } as const
  mailbox = await createMailbox(config, createLogger('mailbox', 'silent'))
  base = `http://127.0.0.1:${mailbox.port}`
})
afterAll(() => mailbox.stop())
afterEach(async () => {
  await fetch(`${base}/api/messages`, { method: 'DELETE' })
})

const list = async (query = ''): Promise<Message[]> =>
  ((await (await fetch(`${base}/api/messages${query}`)).json()) as { items: Message[] }).items
const slack = async (method: string, args: Record<string, string>, token = 'xoxb-test') => {
  const answer = await fetch(`${base}/slack/api/${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: new URLSearchParams(args),
  })
  return {
    status: answer.status,
    retryAfter: answer.headers.get('retry-after'),
    body: (await answer.json()) as Record<string, string>,
  }
}
const sms = async (form: Record<string, string>, authorization = 'Basic eDp5') => {
  const answer = await fetch(`${base}/sms/2010-04-01/Accounts/AC1/Messages.json`, {
    method: 'POST',
    headers: { authorization },
    body: new URLSearchParams(form),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

/** Speaks SMTP line by line: each line waits for the answer to the one before. */
async function mail(to: readonly string[], lines: readonly string[]): Promise<string[]> {
  const socket = connect(mailbox.smtpPort, '127.0.0.1')
  const commands = [
    'EHLO test',
    'MAIL FROM:<tocsin@localhost>',
    ...to.map((each) => `RCPT TO:<${each}>`),
    'DATA',
    `${lines.join('\r\n')}\r\n.`,
    'QUIT',
  ]
  const answers: string[] = []
  let text = ''
  for await (const chunk of socket) {
    text += String(chunk)
    if (!/^\d{3} .*\r\n$/m.test(text)) continue
    answers.push(text.slice(0, 3))
    text = ''
    const next = commands.shift()
    if (next === undefined) break
    socket.write(`${next}\r\n`)
  }
  socket.destroy()
  return answers
}

describe('mail', () => {
  it('is caught for every recipient, with its alert and the headers that matter', async () => {
    await mail(
      ['a@x.org', 'b@x.org'],
      [
        'Subject: Five failed logins',
        `X-Tocsin-Alert: ${ALERT}`,
        'Message-ID: <alert.1.0@localhost>',
        'Content-Type: text/html',
        '',
        '<b>hello</b>',
      ],
    )
    const items = await list('?kind=mail')
    expect(items.map(({ to }) => to)).toEqual(['b@x.org', 'a@x.org'])
    expect(items[0]).toMatchObject({
      subject: 'Five failed logins',
      alertId: ALERT,
      text: 'hello',
      headers: { 'message-id': '<alert.1.0@localhost>' },
    })
    expect(items[0]?.html).toContain('<b>hello</b>')
  })

  it('is shown in a frame that may run and load nothing', async () => {
    await mail(['a@x.org'], ['Subject: x', 'Content-Type: text/html', '', '<script>alert(1)</script><img src="http://x.org/y">'])
    const [item] = await list()
    const answer = await fetch(`${base}/api/messages/${item?.id}/html`)
    expect(answer.headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none'/)
    const page = await fetch(base)
    expect(page.headers.get('content-security-policy')).toMatch(/script-src 'self'/)
    expect(await (await fetch(`${base}/mailbox.js`)).text()).not.toMatch(/innerHTML/)
  })
})

describe('Slack', () => {
  it('gives a message a channel id and a ts, and shows its changes and thread', async () => {
    const posted = await slack('chat.postMessage', { channel: '#alerts', text: `HIGH http://x/alerts/${ALERT}` })
    expect(posted.body).toMatchObject({
      ok: true,
      channel: expect.stringMatching(/^C[A-Z0-9]{8,}$/),
      ts: expect.stringMatching(/^\d+\.\d{6}$/),
    })
    const { channel = '', ts = '' } = posted.body
    const since = new Date().toISOString()
    expect((await slack('chat.update', { channel, ts, text: 'acknowledged' })).body.ok).toBe(true)
    expect((await slack('chat.postMessage', { channel, thread_ts: ts, text: 'by ada' })).body.ok).toBe(true)
    const items = await list(`?kind=slack&since=${since}`)
    expect(items).toHaveLength(1)
    expect(items[0]).toMatchObject({
      to: '#alerts',
      text: 'acknowledged',
      alertId: ALERT,
      slack: { updates: [{ text: `HIGH http://x/alerts/${ALERT}` }], thread: [{ text: 'by ada' }] },
    })
  })

  it.each([
    ['chat.postMessage', { channel: '#missing', text: 'x' }, 'channel_not_found'],
    ['chat.postMessage', { channel: '#archived', text: 'x' }, 'is_archived'],
    ['chat.postMessage', { channel: '#a' }, 'no_text'],
    ['chat.postMessage', { channel: '#a', text: 'x', blocks: '[{"type":"section"}]' }, 'invalid_blocks'],
    [
      'chat.postMessage',
      {
        channel: '#a',
        text: 'x',
        blocks: JSON.stringify([{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }]),
      },
      'invalid_blocks',
    ],
    ['chat.update', { channel: '#a', ts: '1.1', text: 'x' }, 'channel_not_found'],
    ['chat.update', { channel: 'C0123456789', ts: '1.1', text: 'x' }, 'message_not_found'],
    ['no.such', {}, 'unknown_method'],
    ['__proto__', {}, 'unknown_method'],
  ])('%s %j is refused as Slack refuses it: %s', async (method, args, error) => {
    expect(await slack(method, args as Record<string, string>)).toMatchObject({ status: 200, body: { ok: false, error } })
  })

  it('refuses a call without a token, and limits the rate once where the channel says so', async () => {
    expect((await slack('auth.test', {}, 'nonsense')).body).toEqual({ ok: false, error: 'invalid_auth' })
    expect(await slack('chat.postMessage', { channel: '#limited', text: 'x' })).toMatchObject({ status: 429, retryAfter: '2' })
    expect(await slack('chat.postMessage', { channel: '#limited', text: 'x' })).toMatchObject({ status: 200, body: { ok: true } })
  })
})

describe('SMS', () => {
  it('is taken as Twilio takes it', async () => {
    expect(await sms({ To: '+491701234567', From: '+15005550006', Body: 'hello' })).toMatchObject({
      status: 201,
      body: { status: 'queued' },
    })
    expect(await list('?to=%2B491701234567')).toMatchObject([{ kind: 'sms', text: 'hello' }])
  })

  it('is refused as Twilio refuses it', async () => {
    expect(await sms({ To: '0170', From: 'x', Body: 'hello' })).toMatchObject({ status: 400, body: { code: 21211 } })
    expect(await sms({ To: '+491701234567', From: 'x', Body: 'hello' }, '')).toMatchObject({ status: 401 })
  })
})

describe('the list', () => {
  it('keeps the newest, newest first', async () => {
    for (let i = 0; i < 25; i++) await slack('chat.postMessage', { channel: '#a', text: `message ${i}` })
    const items = await list()
    expect(items).toHaveLength(20)
    expect(items[0]?.text).toBe('message 24')
  })

  it('refuses a filter that it does not know', async () => {
    expect((await fetch(`${base}/api/messages?kind=fax`)).status).toBe(400)
    expect((await fetch(`${base}/api/messages?since=yesterday`)).status).toBe(400)
  })

  it('says that it is ready', async () => {
    expect((await fetch(`http://127.0.0.1:${mailbox.metricsPort}/health/ready`)).status).toBe(200)
  })
})

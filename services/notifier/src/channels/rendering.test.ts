import { describe, expect, it } from 'vitest'
import { renderEmail } from './email.ts'
import { renderSlack } from './slack.ts'
import { renderSms } from './sms.ts'
import { blocksWithin } from './stand-ins/slack-limits.ts'
import { ALERT, alertWith, tellingWith } from './stand-ins/telling.ts'

const HOSTILE = '<!channel> <http://x|y> *b* _i_ <img src=x onerror=alert(1)> \r\nBcc: x@example.org\u001b[31m {{title}}'

describe('e-mail', () => {
  it('names the first mail of an alert .0 and later ones by their change, the same at every attempt', () => {
    const first = renderEmail(tellingWith({ event: 'risen', change: 'risen:CRITICAL' }), 'example.org')
    const later = renderEmail(tellingWith({ event: 'risen', change: 'risen:CRITICAL', send: 'follow' }), 'example.org')
    expect(first.messageId).toBe(`<alert.${ALERT.id}.0@example.org>`)
    expect(later.messageId).toBe(`<alert.${ALERT.id}.risen-critical@example.org>`)
  })

  it('keeps its subject through the life of an alert', () => {
    const created = renderEmail(tellingWith(), 'example.org')
    const ended = renderEmail(
      tellingWith({ event: 'closed', alert: alertWith({ open: false, severity: 'CRITICAL', count: 900 }) }),
      'x.org',
    )
    expect(ended.subject).toBe(created.subject)
  })

  it('says that it was made by a machine, and of which list it is', () => {
    const { headers } = renderEmail(tellingWith(), 'example.org')
    expect(headers['Auto-Submitted']).toBe('auto-generated')
    expect(headers['List-ID']).toMatch(/<.+\.alerts\.example\.org>/)
  })

  it('lets no text of a sender become a header, a line or HTML', () => {
    const alert = alertWith({ title: HOSTILE, description: HOSTILE, group: { principalId: HOSTILE } })
    const mail = renderEmail(tellingWith({ alert, organization: HOSTILE }), 'example.org')
    expect(mail.subject).not.toMatch(/\p{Control}/u)
    expect(mail.text).not.toMatch(/^Bcc:/m)
    expect(mail.html).not.toContain('<img')
    expect(mail.html).toContain('&lt;img')
  })

  it('links to the alert and to an https runbook only', () => {
    const safe = renderEmail(tellingWith({ alert: alertWith({ runbook: 'https://wiki.example.org/x' }) }), 'x.org')
    const unsafe = renderEmail(tellingWith({ alert: alertWith({ runbook: 'javascript:alert(1)' }) }), 'x.org')
    expect(safe.text).toContain(`/alerts/${ALERT.id}`)
    expect(safe.html).toContain('https://wiki.example.org/x')
    expect(unsafe.html + unsafe.text).not.toContain('javascript:')
  })

  it('says that it is late, and that an alert was made of late events', () => {
    const mail = renderEmail(tellingWith({ late: true, alert: alertWith({ backfilled: true }) }), 'x.org')
    expect(mail.text).toMatch(/This message is late/)
    expect(mail.text).toMatch(/backfilled/)
  })
})

describe('Slack', () => {
  it('lets no text of a sender mention, link or format', () => {
    const alert = alertWith({ title: HOSTILE, description: HOSTILE, group: { principalId: HOSTILE } })
    const message = renderSlack(tellingWith({ alert }))
    const everything = message.text + JSON.stringify(message.blocks)
    expect(everything).not.toContain('<!channel>')
    expect(everything).not.toContain('<http://x|y>')
    expect(everything).toContain('&lt;!channel&gt;')
    for (const block of message.blocks) {
      if (block.type === 'section' && JSON.stringify(block).includes('*b*'))
        expect(JSON.stringify(block)).not.toContain('"mrkdwn"')
    }
  })

  it('stays within the limits of Block Kit however long the texts are', () => {
    const long = '&'.repeat(5_000)
    const group = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`field${index}`, long]))
    const alert = alertWith({ title: long, description: long, group, tags: Array.from({ length: 500 }, () => long) })
    const message = renderSlack(tellingWith({ alert }))
    expect(blocksWithin(message.blocks)).toEqual([])
    expect(JSON.stringify(message.blocks).length).toBeLessThanOrEqual(9_000)
    expect(message.text.length).toBeLessThan(40_000)
  })

  it('always fills the text, for notifications and screen readers', () => {
    expect(renderSlack(tellingWith()).text).toMatch(/^HIGH: Five failed logins of root http/)
  })

  it('says a change in the thread, but not an ordinary revision and not the first message', () => {
    expect(renderSlack(tellingWith()).threadLine).toBeNull()
    expect(renderSlack(tellingWith({ event: 'revised', send: 'follow' })).threadLine).toBeNull()
    expect(renderSlack(tellingWith({ event: 'acknowledged', send: 'follow', actor: 'ada' })).threadLine).toBe(
      'Acknowledged by ada.',
    )
  })
})

describe('SMS', () => {
  it.each([
    ['a short title', 'Five failed logins'],
    ['a long title', 'x'.repeat(500)],
    ['signs that take two places', '[]{}~^|\\'.repeat(60)],
    ['letters outside the alphabet', 'Übermäßig “viele” Anmeldungen 登录失败 🔥'.repeat(9)],
  ])('holds %s in 160 places and keeps the link whole', (_what, title) => {
    const { body } = renderSms(tellingWith({ alert: alertWith({ title }) }))
    expect(body.length + (body.match(/[\^{}\\[\]~|]/g)?.length ?? 0)).toBeLessThanOrEqual(160)
    expect(body).toMatch(/^[\x20-\x7e]+$/)
    expect(body.endsWith(`/alerts/${ALERT.id}`)).toBe(true)
  })

  it('names severity and title', () => {
    expect(renderSms(tellingWith()).body).toMatch(/^Tocsin HIGH: Five failed logins of root\. http/)
  })
})

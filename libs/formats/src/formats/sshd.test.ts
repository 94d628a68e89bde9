import { describe, expect, it } from 'vitest'
import type { Draft, MapContext } from './format.ts'
import { sshd } from './sshd.ts'

const NOW = Date.parse('2026-01-02T00:00:00Z')
const base: MapContext = { organization: { organizationId: '0b0e7a44-0d7e-4c0e-9f7e-0a6a4cf1b001', slug: 'acme' }, now: NOW }

function drafts(lines: readonly string[], context: Partial<MapContext> = {}): Draft[] {
  const map = sshd.begin({ ...base, ...context })
  return lines.flatMap((line) => map(line)).flatMap((one) => ('draft' in one ? [one.draft] : []))
}
const one = (message: string, program = 'sshd[7]') => {
  const [draft] = drafts([`Dec 10 06:55:46 LabSZ ${program}: ${message}`], { year: 2025 })
  if (draft === undefined) throw new Error('no event')
  return draft
}
const meaning = ({ action, category, operation, outcome, principalId, sessionContext }: Draft) => [
  action,
  category,
  operation,
  outcome,
  principalId,
  sessionContext?.ipAddress,
]

describe('a message of sshd', () => {
  it.each([
    [
      'Failed password for root from 192.0.2.1 port 38926 ssh2',
      ['ssh.login', 'authentication', 'login', 'failure', 'root', '192.0.2.1'],
    ],
    [
      'Failed keyboard-interactive/pam for bob from 2001:db8::1 port 1 ssh2',
      ['ssh.login', 'authentication', 'login', 'failure', 'bob', '2001:db8::1'],
    ],
    [
      'Failed publickey for bob from 192.0.2.1 port 1 ssh2: RSA SHA256:abc',
      ['ssh.login', 'authentication', 'login', 'failure', 'bob', '192.0.2.1'],
    ],
    [
      'Accepted password for fztu from 192.0.2.1 port 49116 ssh2',
      ['ssh.login', 'authentication', 'login', 'success', 'fztu', '192.0.2.1'],
    ],
    [
      'Accepted publickey for bob from 192.0.2.1 port 1 ssh2: ED25519 SHA256:x/y+z',
      ['ssh.login', 'authentication', 'login', 'success', 'bob', '192.0.2.1'],
    ],
    [
      'Failed none for invalid user 0 from 192.0.2.1 port 49811 ssh2',
      ['ssh.methods', 'other', 'other', 'unknown', '0', '192.0.2.1'],
    ],
    ['Invalid user admin from 192.0.2.1', ['ssh.invalid_user', 'other', 'other', 'unknown', 'admin', '192.0.2.1']],
    ['Invalid user admin from 192.0.2.1 port 4', ['ssh.invalid_user', 'other', 'other', 'unknown', 'admin', '192.0.2.1']],
    [
      'User root from 192.0.2.1 not allowed because not listed in AllowUsers',
      ['ssh.login', 'authentication', 'login', 'denied', 'root', '192.0.2.1'],
    ],
    ['ROOT LOGIN REFUSED FROM 192.0.2.1 port 22', ['ssh.login', 'authentication', 'login', 'denied', 'root', '192.0.2.1']],
    [
      'pam_unix(sshd:session): session closed for user fztu',
      ['ssh.logout', 'authentication', 'logout', 'success', 'fztu', undefined],
    ],
    [
      'pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root',
      ['ssh.message', 'other', 'other', 'unknown', undefined, '192.0.2.1'],
    ],
    ['Connection closed by 192.0.2.1 [preauth]', ['ssh.message', 'other', 'other', 'unknown', undefined, '192.0.2.1']],
    [
      'Received disconnect from 192.0.2.1: 11: Bye Bye [preauth]',
      ['ssh.message', 'other', 'other', 'unknown', undefined, '192.0.2.1'],
    ],
    ['', ['ssh.message', 'other', 'other', 'unknown', undefined, undefined]],
  ])('"%s" means what the table says', (message, expected) => {
    expect(meaning(one(message))).toEqual(expected)
  })

  it('comes from sshd-session since OpenSSH 9.8, and from no other program', () => {
    const message = 'Failed password for root from 192.0.2.1 port 38926 ssh2'
    expect(one(message, 'sshd-session[9]').outcome).toBe('failure')
    expect(meaning(one(message, 'sudo'))).toEqual(['syslog.message', 'other', 'other', 'unknown', undefined, undefined])
  })

  it('cannot have its address moved by a user name', () => {
    const draft = one('Failed password for invalid user x from 203.0.113.1 port 1 ssh2 from 192.0.2.1 port 2 ssh2')
    expect([draft.principalId, draft.sessionContext?.ipAddress]).toEqual(['x from 203.0.113.1 port 1 ssh2', '192.0.2.1'])
  })

  it('may have an empty user name, and is then about the address', () => {
    const draft = one('Failed password for invalid user  from 192.0.2.1 port 2 ssh2')
    expect(draft).not.toHaveProperty('principalId')
    expect(draft.sessionContext?.ipAddress).toBe('192.0.2.1')
  })

  it('repeated N times is N events with ids of their own', () => {
    const events = drafts(
      ['Dec 10 09:12:32 h sshd[1]: message repeated 5 times: [ Failed password for root from 192.0.2.1 port 5 ssh2]'],
      { year: 2025 },
    )
    expect(events.map(({ outcome, principalId }) => [outcome, principalId])).toEqual(Array(5).fill(['failure', 'root']))
    expect(new Set(events.map(({ id }) => id)).size).toBe(5)
  })

  it('repeated more often than is believable is rejected', () => {
    const [mapped] = sshd.begin(base)(
      'Dec 10 09:12:32 h sshd[1]: message repeated 999999999 times: [ Failed password for root from 192.0.2.1 port 5 ssh2]',
    )
    expect(mapped).toHaveProperty('faults')
  })
})

describe('an id', () => {
  const line = 'Dec 10 06:55:46 h sshd[7]: Failed password for root from 192.0.2.1 port 38926 ssh2'
  it('tells identical lines of one request apart, and is the same when the request is sent again', () => {
    const first = drafts([line, line, line], { year: 2025 }).map(({ id }) => id)
    expect(new Set(first).size).toBe(3)
    expect(drafts([line, line, line], { year: 2025 }).map(({ id }) => id)).toEqual(first)
  })

  it('depends on the host', () => {
    const ids = drafts([line, line.replace(' h ', ' g ')], { year: 2025 }).map(({ id }) => id)
    expect(new Set(ids).size).toBe(2)
  })
})

describe('a stamp', () => {
  const at = (stamps: readonly string[], context: Partial<MapContext> = {}) =>
    drafts(
      stamps.map((stamp) => `${stamp} h sshd[1]: x`),
      context,
    ).map(({ timestamp }) => timestamp)

  it('is of the given year and zone', () => {
    expect(at(['Dec 10 06:55:46', 'Jan  2 00:00:00'].toReversed(), { year: 2024, zone: 'Asia/Kathmandu' })).toEqual([
      '2024-01-01T18:15:00.000Z',
      '2024-12-10T01:10:46.000Z',
    ])
  })

  it('minds the turn of the year within a request', () => {
    expect(at(['Dec 31 23:59:59', 'Jan  1 00:00:01', 'Dec 31 23:59:59'], { year: 2025 })).toEqual([
      '2025-12-31T23:59:59.000Z',
      '2026-01-01T00:00:01.000Z',
      '2025-12-31T23:59:59.000Z',
    ])
  })

  it('without a year is the latest that is not ahead of now', () => {
    expect(at(['Dec 31 23:59:59', 'Jan  1 00:00:01', 'Jan  2 12:00:00', 'Jan  9 00:00:00', 'Feb 29 00:00:00'])).toEqual([
      '2025-12-31T23:59:59.000Z',
      '2026-01-01T00:00:01.000Z',
      '2026-01-02T12:00:00.000Z',
      '2025-01-09T00:00:00.000Z',
      '2024-02-29T00:00:00.000Z',
    ])
  })

  it('may be ISO, with a zone or in the given one', () => {
    expect(
      at(['2025-12-10T06:55:46.123456+01:00', '2025-12-10T06:55:46Z', '2025-12-10 06:55:46,5'], {
        zone: 'America/New_York',
        year: 1999,
      }),
    ).toEqual(['2025-12-10T05:55:46.123Z', '2025-12-10T06:55:46.000Z', '2025-12-10T11:55:46.500Z'])
  })

  it('in an hour that does not exist is the first instant after the gap, in one that exists twice the earlier', () => {
    expect(at(['Mar 29 02:30:00', 'Oct 25 02:30:00'], { year: 2026, zone: 'Europe/Berlin' })).toEqual([
      '2026-03-29T01:00:00.000Z',
      '2026-10-25T00:30:00.000Z',
    ])
  })

  it.each(['Feb 30 00:00:00', 'Foo 10 00:00:00', 'Dec 10 25:00:00', '2025-13-01T00:00:00Z', 'yesterday'])(
    '%s is rejected',
    (stamp) => {
      const [mapped] = sshd.begin({ ...base, year: 2025 })(`${stamp} h sshd[1]: x`)
      expect(mapped).toMatchObject({ faults: [{ code: 'INVALID_FORMAT', pointer: '' }] })
    },
  )
})

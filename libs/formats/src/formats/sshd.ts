/**
 * Lines of OpenSSH's server as syslog writes them (RFC 3164 or ISO stamps). Every line of syslog is at least one event; only
 * logins, logouts and refusals mean anything to the patterns, the others are category other, outcome unknown.
 *
 * 1. `message repeated N times: [ … ]` is N events.
 * 2. Only `Failed METHOD for …` is the failure: PAM and `Invalid user` tell of the same attempt. `Failed none` is a client
 *    that asks which methods there are.
 * 3. A line's meaning depends on no other line. What a request's lines share is their count (ids) and the turn of the year.
 * 4. User names are the attacker's: the address is taken from the end of the line.
 */
import { createHash } from 'node:crypto'
import { normalizeIp } from '../ip-address.ts'
import type { JsonObject } from '../json-reader.ts'
import { formatTime } from '../time.ts'
import { type Draft, type Format, fit, type Mapped, rejected } from './format.ts'
import { meaningOf, type SshdMeaning } from './sshd-message.ts'
import { createStampReader, type SyslogLine, splitSyslog } from './syslog.ts'

const REPEATED = /^message repeated (\d{1,9}) times: \[ ?(.*?) ?\]$/
/** One line must not become more events than a request may hold. */
const MAX_REPEATS = 10_000
const NAME_MAX = 255

export const sshd: Format = {
  name: 'sshd',
  body: 'lines',
  recognizes: (item) => typeof item === 'string' && /^sshd(?:-session|-auth)?$/.test(splitSyslog(item)?.program ?? ''),
  begin: (context) => {
    const stampOf = createStampReader(context)
    const seen = new Map<string, number>()
    return (item) => {
      if (typeof item !== 'string') return [rejected('INVALID_TYPE', [], 'must be a line of text')]
      const line = splitSyslog(item)
      if (line === undefined) return [rejected('INVALID_FORMAT', [], 'is no line of syslog: STAMP HOST PROGRAM[PID]: MESSAGE')]
      const time = stampOf(line.stamp)
      if (time === undefined) return [rejected('INVALID_FORMAT', [], 'the stamp is no time of that year and zone')]
      const before = seen.get(item) ?? 0
      seen.set(item, before + 1)
      return mapLine({ text: item, line, time, before })
    }
  },
}

interface Placed {
  readonly text: string
  readonly line: SyslogLine
  /** ms since 1970. */
  readonly time: number
  /** How often the identical line stood before in the request. */
  readonly before: number
}

/** The events of one line; pure. */
export function mapLine(placed: Placed): readonly Mapped[] {
  const { line } = placed
  const repeated = REPEATED.exec(line.message)
  const message = repeated?.[2] ?? line.message
  const count = Number(repeated?.[1] ?? 1)
  if (count > MAX_REPEATS)
    return [rejected('INVALID_VALUE', [], `a message repeated more than ${MAX_REPEATS} times is not believed`)]
  const meaning = meaningOf(line.program, message)
  // "0 times" tells nothing but is still a line: one event of no meaning.
  if (count === 0) return [{ draft: draftOf(placed, message, meaningOf('', message), 0) }]
  return Array.from({ length: count }, (_, n) => ({ draft: draftOf(placed, message, meaning, n) }))
}

function draftOf(placed: Placed, message: string, meaning: SshdMeaning, n: number): Draft {
  const { text, line, time, before } = placed
  const ip = meaning.address === undefined ? undefined : normalizeIp(meaning.address)
  const raw: JsonObject = {
    line: text,
    host: line.host,
    program: line.program,
    message,
    ...(line.pid === undefined ? {} : { pid: line.pid }),
    ...(meaning.user === undefined ? {} : { user: meaning.user }),
    ...(meaning.method === undefined ? {} : { method: meaning.method }),
    ...(meaning.port === undefined ? {} : { port: meaning.port }),
    ...(meaning.invalidUser ? { invalidUser: true } : {}),
  }
  return {
    id: createHash('sha256')
      .update(JSON.stringify(['sshd', line.host, text, before, n]))
      .digest('hex'),
    timestamp: formatTime(time),
    action: meaning.action,
    status: meaning.status,
    outcome: meaning.outcome,
    category: meaning.category,
    operation: meaning.operation,
    ...(meaning.user === undefined || meaning.user.trim() === '' ? {} : { principalId: fit(meaning.user, NAME_MAX) }),
    ...(ip === undefined ? {} : { sessionContext: { ipAddress: ip } }),
    targetResourceType: 'host',
    targetResourceId: fit(line.host, NAME_MAX),
    outcomeDescription: fit(message, 2000),
    source: { product: 'linux', service: 'sshd', name: fit(line.host, NAME_MAX) },
    raw,
    content: [text, time],
  }
}

import type { Failure } from './expected-failed-auth.ts'

const LINE =
  /^(\w{3}) +(\d+) (\d\d):(\d\d):(\d\d) \S+ sshd\[\d+\]: (?:message repeated (\d+) times: \[ )?Failed (\w+) for (?:invalid user )?(.*) from (\S+) port \d+/
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'

/** The failed logins of an sshd log (RFC 3164 stamps, UTC), counted here once more, apart from ingest's mapper. */
export function sshdFailures(log: string, year: number): Failure[] {
  return log.split('\n').flatMap((line, number) => {
    const match = LINE.exec(line)
    if (match === null || match[7] === 'none') return []
    const [, month = '', day, hour, minute, second, repeated, , principal = '', ip = ''] = match
    const t = Date.UTC(year, MONTHS.indexOf(month) / 3, Number(day), Number(hour), Number(minute), Number(second))
    return Array.from({ length: Number(repeated ?? 1) }, (_, n) => ({ t, id: `${number}/${n}`, principal, ip }))
  })
}

/** Syslog lines as files hold them: `Dec 10 06:55:46 HOST PROGRAM[PID]: MESSAGE` (RFC 3164) or with an ISO stamp. */
import { exists, readTime, type WallClock, type Zone, zoneOf } from '../time.ts'

const LINE =
  /^\uFEFF?(?:<\d{1,3}>)?(?<stamp>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?) (?<host>\S+) (?<program>[^\s[:]+)(?:\[(?<pid>\d+)\])?: ?(?<message>.*)$/s
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const RFC_3164 = /^([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)$/
const ISO_WITHOUT_ZONE = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?$/
/** A stamp without a year may lie this far ahead of our clock before it is taken for last year's. */
const AHEAD_MS = 86_400_000
const DECEMBER = 12
const JUNE = 6

export interface SyslogLine {
  readonly stamp: string
  readonly host: string
  readonly program: string
  readonly pid?: string | undefined
  readonly message: string
}

export function splitSyslog(text: string): SyslogLine | undefined {
  const found = LINE.exec(text)?.groups
  if (found === undefined) return undefined
  const { stamp = '', host = '', program = '', pid, message = '' } = found
  return { stamp, host, program, pid, message }
}

/**
 * Reads the stamps of one request's lines, in order: ms since 1970, or undefined where there is no such time.
 * A stamp without a year is of the given year, and of the next one when it says January to June after a line that said
 * December; with no year given it is the latest such time that is not more than a day ahead of `now`.
 */
export function createStampReader(by: {
  readonly now: number
  readonly year?: number | undefined
  readonly zone?: string | undefined
}): (stamp: string) => number | undefined {
  const zone = zoneOf(by.zone ?? 'UTC')
  let sawDecember = false
  return (stamp) => {
    if (zone === undefined) return undefined
    const match = RFC_3164.exec(stamp)
    if (match === null) return readIso(stamp, zone)
    const [, name = '', day, hour, minute, second] = match
    const month = MONTHS.indexOf(name) + 1
    const clock = { month, day: Number(day), hour: Number(hour), minute: Number(minute), second: Number(second), millisecond: 0 }
    if (by.year === undefined) return latest(clock, zone, by.now)
    const turned = sawDecember && month <= JUNE
    sawDecember ||= month === DECEMBER
    return inRange(at({ ...clock, year: by.year + (turned ? 1 : 0) }, zone))
  }
}

function latest(clock: Omit<WallClock, 'year'>, zone: Zone, now: number): number | undefined {
  const thisYear = zone.yearAt(now)
  // 29 February may lie up to eight years back.
  for (let year = thisYear + 1; year >= thisYear - 8; year--) {
    const ms = at({ ...clock, year }, zone)
    if (ms !== undefined && ms <= now + AHEAD_MS) return ms
  }
  return undefined
}

function readIso(stamp: string, zone: Zone): number | undefined {
  const match = ISO_WITHOUT_ZONE.exec(stamp)
  if (match === null) {
    const reading = readTime(stamp)
    return 'ms' in reading ? reading.ms : undefined
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  const millisecond = Number((match[7] ?? '0').slice(0, 3).padEnd(3, '0'))
  return inRange(at({ year, month, day, hour, minute, second, millisecond }, zone))
}

const at = (clock: WallClock, zone: Zone): number | undefined => (exists(clock) ? zone.toMs(clock) : undefined)
const inRange = (ms: number | undefined): number | undefined => (ms !== undefined && ms >= 0 ? ms : undefined)

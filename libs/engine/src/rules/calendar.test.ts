import { describe, expect, it } from 'vitest'
import { isoTime } from '../time.ts'
import { Calendar } from './calendar.ts'

const HOURS = { start: 18, end: 8 }

function nightOf(calendar: Calendar, time: string): [string, string] | null {
  const night = calendar.nightOf(Date.parse(time))
  return night === null ? null : [isoTime(night.start), isoTime(night.end)]
}

describe('a calendar', () => {
  it('has nights from 18:00 inclusive to 08:00 exclusive', () => {
    const utc = new Calendar(HOURS, {})
    expect(nightOf(utc, '2026-03-03T17:59:59.999Z')).toBeNull()
    expect(nightOf(utc, '2026-03-03T18:00:00Z')).toEqual(['2026-03-03T18:00:00.000Z', '2026-03-04T08:00:00.000Z'])
    expect(nightOf(utc, '2026-03-04T07:59:59.999Z')).toEqual(['2026-03-03T18:00:00.000Z', '2026-03-04T08:00:00.000Z'])
    expect(nightOf(utc, '2026-03-04T08:00:00Z')).toBeNull()
  })

  it('makes one night of a weekend', () => {
    const utc = new Calendar(HOURS, {})
    const weekend = ['2026-03-06T18:00:00.000Z', '2026-03-09T08:00:00.000Z']
    for (const time of ['2026-03-06T18:00:00Z', '2026-03-07T12:00:00Z', '2026-03-08T23:00:00Z', '2026-03-09T07:00:00Z']) {
      expect(nightOf(new Calendar(HOURS, {}), time)).toEqual(weekend)
      expect(nightOf(utc, time)).toEqual(weekend)
    }
  })

  it('has holidays in the night, and local hours in the organization zone', () => {
    const berlin = new Calendar(HOURS, { zone: 'Europe/Berlin', holidays: ['2026-03-04'] })
    expect(nightOf(berlin, '2026-03-04T11:00:00Z')).toEqual(['2026-03-03T17:00:00.000Z', '2026-03-05T07:00:00.000Z'])
    const kathmandu = new Calendar(HOURS, { zone: 'Asia/Kathmandu', offHoursStart: 17, offHoursEnd: 9 })
    expect(nightOf(kathmandu, '2026-03-03T11:15:00Z')).toEqual(['2026-03-03T11:15:00.000Z', '2026-03-04T03:15:00.000Z'])
    expect(nightOf(kathmandu, '2026-03-03T11:14:59Z')).toBeNull()
  })

  it('follows summer time: the weekend of the change is an hour shorter or longer', () => {
    const newYork = new Calendar(HOURS, { zone: 'America/New_York' })
    expect(nightOf(newYork, '2026-03-08T12:00:00Z')).toEqual(['2026-03-06T23:00:00.000Z', '2026-03-09T12:00:00.000Z'])
    expect(nightOf(newYork, '2026-11-01T12:00:00Z')).toEqual(['2026-10-30T22:00:00.000Z', '2026-11-02T13:00:00.000Z'])
  })

  it('takes the first instant after the gap for a time that does not exist, and the earlier of two', () => {
    // Cairo moves on a Thursday night, so that both fall on the edge of a working day (Friday 00:00 does not exist in April).
    const spring = new Calendar({ start: 24, end: 0 }, { zone: 'Africa/Cairo' })
    expect(nightOf(spring, '2026-04-23T21:59:59Z')).toBeNull()
    expect(nightOf(spring, '2026-04-24T20:59:59.999Z')).toBeNull()
    expect(nightOf(spring, '2026-04-24T21:00:00Z')?.[0]).toBe('2026-04-24T21:00:00.000Z')
    // 23:30 of Thursday 2026-10-29 comes twice.
    const autumn = new Calendar({ start: 23, end: 8 }, { zone: 'Africa/Cairo' })
    expect(nightOf(autumn, '2026-10-29T20:30:00Z')?.[0]).toBe('2026-10-29T20:00:00.000Z')
  })

  it('cuts a night of more than 7 days every 168 h', () => {
    const holidays = Array.from({ length: 20 }, (_, day) => new Date(Date.UTC(2026, 2, 3 + day)).toISOString().slice(0, 10))
    const long = new Calendar(HOURS, { holidays })
    expect(nightOf(long, '2026-03-05T12:00:00Z')).toEqual(['2026-03-02T18:00:00.000Z', '2026-03-09T18:00:00.000Z'])
    expect(nightOf(long, '2026-03-09T18:00:00Z')).toEqual(['2026-03-09T18:00:00.000Z', '2026-03-16T18:00:00.000Z'])
    expect(nightOf(long, '2026-03-22T12:00:00Z')).toEqual(['2026-03-16T18:00:00.000Z', '2026-03-23T08:00:00.000Z'])
  })

  it('takes hours that do not wrap, equal hours and hours without any business', () => {
    const lunch = new Calendar({ start: 12, end: 13 }, {})
    expect(nightOf(lunch, '2026-03-03T12:30:00Z')).toEqual(['2026-03-03T12:00:00.000Z', '2026-03-03T13:00:00.000Z'])
    expect(nightOf(lunch, '2026-03-03T23:30:00Z')).toBeNull()
    expect(nightOf(new Calendar({ start: 9, end: 9 }, {}), '2026-03-03T12:30:00Z')).toBeNull()
    const always = new Calendar({ start: 0, end: 24 }, {})
    expect(nightOf(always, '2026-03-03T12:30:00Z')).toEqual(['2026-03-02T00:00:00.000Z', '2026-03-09T00:00:00.000Z'])
  })

  it('refuses an unknown zone', () => {
    expect(() => new Calendar(HOURS, { zone: 'Europe/Atlantis' })).toThrow(RangeError)
  })
})

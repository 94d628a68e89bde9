import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AuditEvent } from '@tocsin/contracts'
import { Compile } from 'typebox/compile'
import { describe, expect, it } from 'vitest'
import { complete } from '../canonical-event.ts'
import type { Json } from '../json-reader.ts'
import type { MapContext } from './format.ts'
import { FORMATS } from './index.ts'

const NOW = Date.parse('2026-03-02T00:00:00Z')
const context: MapContext = { organization: { organizationId: '0b0e7a44-0d7e-4c0e-9f7e-0a6a4cf1b001', slug: 'acme' }, now: NOW }
const check = Compile(AuditEvent)

interface Sample {
  readonly item: Json
  /** `raw: "the item"` stands for the item itself. */
  readonly events: readonly Record<string, unknown>[]
}
const samplesOf = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'samples', `${name}.json`), 'utf8')) as readonly Sample[]

/** What every format keeps to. */
describe.each(FORMATS.map((format) => [format.name, format] as const))('format %s', (name, format) => {
  const samples = samplesOf(name)

  it('maps its samples to the canonical events beside them', () => {
    for (const { item, events } of samples) {
      const mapped = format
        .begin(context)(item)
        .flatMap((one) => ('draft' in one ? [complete(one.draft, item, { format: name, context })] : []))
      const found = mapped.flatMap((one) => ('event' in one ? [one.event] : []))
      const expected = events.map((event) => (event['raw'] === 'the item' ? { ...event, raw: item } : event))
      // A hash as id is checked by the format's own test.
      expect(found.slice(0, expected.length)).toEqual(
        expected.map((event, index) => (name === 'sshd' ? { ...event, id: found[index]?.id } : event)),
      )
      for (const event of found) expect(check.Check(event), JSON.stringify(event)).toBe(true)
    }
  })

  it('is recognized by its signature, before any other', () => {
    for (const { item } of samples) expect(FORMATS.find((candidate) => candidate.recognizes(item))?.name).toBe(name)
  })

  it.each([null, 7, 'text', [], {}, [[]], { timestamp: 7, eventTime: 7, time: {}, specversion: [] }])(
    'rejects %j with a pointer and does not throw',
    (item) => {
      for (const one of format.begin(context)(item as Json)) {
        expect(one).toHaveProperty('faults')
        expect('faults' in one && one.faults.length).toBeGreaterThan(0)
      }
    },
  )

  it('maps the same item to the same event', () => {
    for (const { item } of samples) expect(format.begin(context)(item)).toEqual(format.begin(context)(item))
  })
})

import { describe, expect, it } from 'vitest'
import { alertId, bytesOfUuid, uuid5 } from './alert-id.ts'

describe('alert ids', () => {
  it('are version 5 UUIDs of RFC 9562', () => {
    // RFC 9562, appendix A.4: the DNS namespace and www.example.com.
    expect(uuid5(bytesOfUuid('6ba7b810-9dad-11d1-80b4-00c04fd430c8'), 'www.example.com')).toBe(
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    )
  })

  it('are made of what the log holds, in canonical JSON, and stay as they are for ever', () => {
    const identity = { organizationId: 'o', ruleId: 'r', group: { b: '2', a: '1' }, openingEventId: 'e', t: 1_772_452_800_000 }
    expect(alertId(identity)).toBe(alertId({ ...identity, group: { a: '1', b: '2' } }))
    expect(alertId(identity)).not.toBe(alertId({ ...identity, t: 1_772_452_800_001 }))
    expect(alertId(identity)).toBe(
      uuid5(bytesOfUuid('6f1c2a9e-4b7d-5e38-9c05-d1a7b3e84f60'), '["o","r",{"a":"1","b":"2"},"e",1772452800000]'),
    )
  })
})

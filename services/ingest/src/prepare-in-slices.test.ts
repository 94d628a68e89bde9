import { expect, it } from 'vitest'
import { prepareInSlices } from './prepare-in-slices.ts'

it('lets others have their turn while a large body is prepared', async () => {
  const event = { timestamp: '2026-03-01T09:15:30Z', action: 'data.read', status: 'success', note: 'x'.repeat(1000) }
  const text = JSON.stringify(Array.from({ length: 5000 }, (_, n) => ({ ...event, id: String(n) })))
  let turns = 0
  let prepared = false
  const count = () => {
    turns++
    if (!prepared) setImmediate(count)
  }
  setImmediate(count)
  const items = await prepareInSlices({
    body: { kind: 'json', text, lines: false },
    context: { organization: { organizationId: '0b0e7a44-0d7e-4c0e-9f7e-0a6a4cf1b001', slug: 'acme' }, now: 0 },
  })
  prepared = true
  expect(items).toHaveLength(5000)
  expect(turns).toBeGreaterThan(3)
})

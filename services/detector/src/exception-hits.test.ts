import type { ExceptionHits } from '@tocsin/engine'
import { RetryableError } from '@tocsin/errors'
import type { OutgoingRecord } from '@tocsin/kafka'
import { expect, it } from 'vitest'
import { HitsTeller } from './exception-hits.ts'

it('hits of exceptions are told by organization, when they have changed, and again where they were not taken', async () => {
  const sent: OutgoingRecord[] = []
  let isAway = true
  const send = async (records: readonly OutgoingRecord[]) => {
    if (isAway) throw new RetryableError('the broker is away')
    sent.push(...records)
    return []
  }
  const acme = {
    organizationId: 'acme',
    hits: [
      ['scanner', 3],
      ['unused', 0],
    ],
  } as const
  let held: ExceptionHits[] = [acme]
  const teller = new HitsTeller({ hits: () => held, producer: { send }, log: { warn: () => {} } })
  await teller.tell()
  isAway = false
  await teller.tell()
  await teller.tell()
  expect(sent.splice(0)).toMatchObject([
    {
      topic: 'exception.hits',
      key: 'acme',
      value: '{"organizationId":"acme","hits":[{"id":"scanner","count":3},{"id":"unused","count":0}]}',
    },
  ])
  held = [...held, { organizationId: 'other', hits: [['scanner', 1]] }]
  await teller.stop()
  expect(sent.map(({ key }) => key)).toEqual(['other'])
})

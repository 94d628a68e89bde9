import type { ExceptionHits } from '@tocsin/engine'
import { expect, it } from 'vitest'
import { ExceptionLog } from './exception-log.ts'

it('hits of exceptions are told by organization, when there are new ones', () => {
  const lines: unknown[] = []
  const log = { info: (fields: unknown) => void lines.push(fields) }
  let held: ExceptionHits[] = [
    {
      organizationId: 'acme',
      hits: [
        ['scanner', 3],
        ['unused', 0],
      ],
    },
    { organizationId: 'idle', hits: [['unused', 0]] },
  ]
  const exceptions = new ExceptionLog(() => held, log)
  exceptions.tell()
  exceptions.tell()
  expect(lines.splice(0)).toEqual([{ organizationId: 'acme', hits: { scanner: 3 } }])
  held = [...held, { organizationId: 'other', hits: [['scanner', 1]] }]
  exceptions.stop()
  expect(lines).toEqual([{ organizationId: 'other', hits: { scanner: 1 } }])
})

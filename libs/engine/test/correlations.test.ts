import fc from 'fast-check'
import { describe, it } from 'vitest'
import type { Correlation } from './correlation-rules.ts'
import { correlationStreams, correlations } from './correlation-streams.ts'
import { expectAgreement } from './harness.ts'
import { runs } from './runs.ts'

/** What the engine refuses by name as long as it is not built. */
const isBuilt = ({ type, condition, fields, aliases }: Correlation): boolean =>
  (type === 'event_count' || type === 'value_count' || type === 'value_sum') &&
  Array.isArray(condition) &&
  condition.length === 1 &&
  ['gt', 'gte'].includes(condition[0]?.[0] ?? '') &&
  (type === 'value_sum' ? fields[0] === 'recordCount' : fields.length < 2) &&
  Object.keys(aliases).length === 0
const built = correlations.filter(isBuilt)

describe('the engine and the brute-force model, for any correlation', () => {
  it('emit the same changes after every record of short streams', () => {
    fc.assert(fc.property(correlationStreams(14, built), expectAgreement), runs(300))
  })

  it('emit the same changes after every record of long streams', () => {
    fc.assert(fc.property(correlationStreams(50, built), expectAgreement), runs(100))
  })
})

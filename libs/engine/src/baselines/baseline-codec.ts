import type { RuleInstance } from '../rule-instance.ts'
import type { ByteReader, ByteWriter } from '../snapshots/bytes.ts'
import { GroupBaseline } from './baselines.ts'

export interface EncodedBaseline {
  readonly organizationId: string
  readonly ruleId: string
  readonly baseline: GroupBaseline
}

export function encodeBaseline({ organization, ruleId }: RuleInstance, baseline: GroupBaseline, to: ByteWriter): void {
  to.name(organization.id)
  to.name(ruleId)
  to.name(baseline.key)
  to.uint(baseline.hour)
  to.number(baseline.largest)
  to.uint(baseline.samples.length)
  let before = 0
  for (const [hour, value] of baseline.samples.pairs()) {
    to.uint(hour - before)
    to.number(value)
    before = hour
  }
}

export function decodeBaseline(from: ByteReader): EncodedBaseline {
  const organizationId = from.name()
  const ruleId = from.name()
  const baseline = new GroupBaseline(from.name(), from.uint(), 0)
  baseline.largest = from.number()
  let hour = 0
  for (let left = from.uint(); left > 0; left--) {
    hour += from.uint()
    baseline.samples.add(hour, from.number())
  }
  return { organizationId, ruleId, baseline }
}

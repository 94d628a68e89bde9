import type { SettingsOf } from '@tocsin/backtest'
import { engineRecordOf, leadMs, readRange, type TopicRange } from '@tocsin/backtest/topic-range'
import type { AlertFigures } from '@tocsin/contracts'
import type { CompiledRule, EngineRecord } from '@tocsin/engine'
import { type Output, plain } from '../../output.ts'
import { readTenants } from '../../rules/cluster.ts'
import type { Progress } from './progress.ts'

export interface RangeReading {
  readonly range: TopicRange
  /** Undefined: those that the log itself put in force. */
  readonly rules: readonly CompiledRule[] | undefined
  readonly output: Output
  readonly progress: Progress
  /** Told alerts of the moment. */
  open(): readonly AlertFigures[]
  take(record: EngineRecord, isTold: boolean): void
}

/** Before the range nothing is told but which alerts are open at its start. */
export async function readTopic({ range, rules, output, progress, open, take }: RangeReading): Promise<void> {
  let isTold = false
  const first = await readRange(range, rules === undefined ? undefined : leadMs(rules), (kafkaRecord) => {
    if (!isTold && kafkaRecord.offset >= range.from) {
      isTold = true
      for (const { id, revision, title, count } of open())
        output.note(plain(`open at the start: ${id} revision ${revision}, ${title}: ${count} events`))
    }
    const record = engineRecordOf(kafkaRecord)
    progress.lines++
    progress.read(progress.bytes + (kafkaRecord.value?.length ?? 0))
    if (record === undefined || (record.kind === 'control' && rules !== undefined)) return
    take(record, isTold)
  })
  output.note(`read from offset ${first}, told from ${range.from}`)
}

/** The rules are tried under the settings that organizations have now. */
export async function presentSettings({ kafka }: TopicRange): Promise<SettingsOf> {
  const tenants = await readTenants(kafka)
  return (organizationId) => tenants.get(organizationId)?.settings ?? {}
}

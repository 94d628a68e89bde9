import { ServiceConfig } from '@tocsin/config'
import { type Static, Type } from 'typebox'

export const DetectorConfig = Type.Object({
  ...ServiceConfig,
  SNAPSHOT_MIN_INTERVAL_MS: Type.Integer({
    default: 10_000,
    minimum: 0,
    description: 'A snapshot begins no sooner than this after the last, in ms',
  }),
  SNAPSHOT_MIN_RECORDS: Type.Integer({
    default: 200_000,
    minimum: 1,
    description: 'and no sooner than this many records after it',
  }),
  SNAPSHOT_MAX_INTERVAL_MS: Type.Integer({
    default: 120_000,
    minimum: 1,
    description: 'but at latest this long after it, in ms, where any record came: bounds what is done again after a crash',
  }),
})
export type DetectorConfig = Static<typeof DetectorConfig>

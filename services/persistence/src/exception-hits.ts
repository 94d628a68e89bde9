import { ExceptionHits, TOPICS } from '@tocsin/contracts'
import { followTopic, type Kafka } from '@tocsin/kafka'
import { Compile } from 'typebox/compile'

const isHits = Compile(ExceptionHits)

/** What the detector says of exceptions, as topic `exception.hits` holds it: of each organization the newest record. */
export interface FollowedHits {
  /** By id of the exception; one that is not there has none, or was not told of yet. */
  of(organizationId: string): ReadonlyMap<string, number>
  stop(): Promise<void>
}

/** A record that is not as the contract says is logged and passed over. */
export function followExceptionHits(kafka: Kafka): FollowedHits {
  const known = new Map<string, ReadonlyMap<string, number>>()
  const following = followTopic({
    kafka,
    topic: TOPICS.exceptionHits.name,
    onRecord: ({ key, value }) => {
      const organizationId = String(key)
      if (value === null) {
        known.delete(organizationId)
        return
      }
      const record: unknown = JSON.parse(value.toString('utf8'))
      if (!isHits.Check(record)) throw new Error('not as ExceptionHits says')
      known.set(organizationId, new Map(record.hits.map(({ id, count }) => [id, count])))
    },
  })
  return { of: (organizationId) => known.get(organizationId) ?? new Map(), stop: () => following.stop() }
}

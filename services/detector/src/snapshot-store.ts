import { TOPICS } from '@tocsin/contracts'
import { type Kafka, type Producer, type RecordPlace, readToEnd } from '@tocsin/kafka'
import { keyOfPiece, type Manifest, type PieceName, type SetId } from './snapshot-format.ts'
import { SnapshotShelf, type StoredSet } from './snapshot-shelf.ts'

const TOPIC = TOPICS.detectorSnapshots.name

/** Reads and writes `detector.snapshots`; partition p of it belongs to partition p of `audit.events`. */
export class SnapshotStore {
  readonly #kafka: Kafka
  readonly #producer: Producer

  constructor(kafka: Kafka, producer: Producer) {
    this.#kafka = kafka
    this.#producer = producer
  }

  /** What lies there for a partition, from offset `from` on. RetryableError while Kafka is away. */
  async load(partition: number, from: bigint, signal: AbortSignal): Promise<SnapshotShelf> {
    const shelf = new SnapshotShelf()
    await readToEnd({
      kafka: this.#kafka,
      topic: TOPIC,
      partitions: [partition],
      from,
      signal,
      onRecord: (record) => shelf.add(record),
    })
    return shelf
  }

  /** Resolves after the broker's acknowledgement. */
  async writePiece(set: SetId, index: number, piece: Buffer): Promise<RecordPlace> {
    return this.#write(set, index, piece)
  }

  async writeManifest(set: SetId, manifest: Manifest): Promise<RecordPlace> {
    return this.#write(set, 'manifest', Buffer.from(JSON.stringify(manifest)))
  }

  /** The manifest first: a set of which only a part is left must not look whole. */
  async remove(sets: readonly StoredSet[]): Promise<void> {
    const tombstones = sets.flatMap(({ id, pieces }) =>
      [...pieces]
        .sort((a, b) => Number(b === 'manifest') - Number(a === 'manifest'))
        .map((piece) => ({ topic: TOPIC, partition: id.partition, key: keyOfPiece(id, piece), value: null })),
    )
    if (tombstones.length > 0) await this.#producer.send(tombstones)
  }

  async #write(set: SetId, piece: PieceName, value: Buffer): Promise<RecordPlace> {
    const [place] = await this.#producer.send([{ topic: TOPIC, partition: set.partition, key: keyOfPiece(set, piece), value }])
    if (place === undefined) throw new TypeError('the producer said nothing of the place')
    return place
  }
}

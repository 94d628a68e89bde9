import { AssignerProtocol, type Assignment, type PartitionAssigner } from 'kafkajs'

/** Partition numbers by real topic name. */
export type Holding = Readonly<Record<string, readonly number[]>>

export interface Member {
  readonly memberId: string
  /** What it holds at present, as it says itself. */
  readonly holds: Holding
}

/**
 * Deals partitions evenly (counts differ by one at most, over all topics together) and leaves each with the member that holds it where that is
 * possible: taking a partition over costs its reader a reload. Two claims of one partition: the first member by id has it.
 */
export function dealPartitions(members: readonly Member[], all: Holding): Map<string, Record<string, number[]>> {
  const sorted = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const total = Object.values(all).reduce((sum, partitions) => sum + partitions.length, 0)
  const least = Math.floor(total / sorted.length)
  let withOneMore = total % sorted.length
  const dealt = new Map<string, Record<string, number[]>>(sorted.map(({ memberId }) => [memberId, {}]))
  const counts = new Map<string, number>()
  const taken = new Set<string>()
  const give = (memberId: string, topic: string, partition: number) => {
    const own = dealt.get(memberId) ?? {}
    own[topic] = [...(own[topic] ?? []), partition]
    dealt.set(memberId, own)
    counts.set(memberId, (counts.get(memberId) ?? 0) + 1)
    taken.add(`${topic}/${partition}`)
  }
  // The holders of most keep the odd ones.
  const byHolding = [...sorted].sort((a, b) => sizeOf(b.holds) - sizeOf(a.holds))
  const shares = new Map(byHolding.map(({ memberId }) => [memberId, least + (withOneMore-- > 0 ? 1 : 0)]))
  const shareOf = (memberId: string) => (shares.get(memberId) ?? 0) - (counts.get(memberId) ?? 0)
  for (const { memberId, holds } of sorted)
    for (const [topic, partitions] of Object.entries(all))
      for (const partition of partitions)
        if (holds[topic]?.includes(partition) && !taken.has(`${topic}/${partition}`) && shareOf(memberId) > 0)
          give(memberId, topic, partition)
  for (const [topic, partitions] of Object.entries(all))
    for (const partition of partitions) {
      if (taken.has(`${topic}/${partition}`)) continue
      const next = sorted.find(({ memberId }) => shareOf(memberId) > 0)
      if (next !== undefined) give(next.memberId, topic, partition)
    }
  return dealt
}

const sizeOf = (holding: Holding): number => Object.values(holding).reduce((sum, partitions) => sum + partitions.length, 0)

/** A kafkajs assigner that tells `holds()` to the leader, and assigns only `only` where given. */
export function stickyAssigner(holds: () => Holding, only?: readonly number[]): PartitionAssigner {
  return ({ cluster }) => ({
    name: 'TocsinSticky',
    version: 1,
    protocol: ({ topics }) => ({
      name: 'TocsinSticky',
      metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics, userData: Buffer.from(JSON.stringify(holds())) }),
    }),
    assign: async ({ members, topics }) => {
      const all = Object.fromEntries(
        topics.map((topic) => [
          topic,
          cluster
            .findTopicPartitionMetadata(topic)
            .map(({ partitionId }) => partitionId)
            .filter((partition) => only === undefined || only.includes(partition))
            .sort((a, b) => a - b),
        ]),
      )
      const dealt = dealPartitions(
        members.map(({ memberId, memberMetadata }) => ({ memberId, holds: claimOf(memberMetadata) })),
        all,
      )
      return [...dealt].map(([memberId, assignment]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: 1,
          assignment: assignment as Assignment,
          userData: Buffer.alloc(0),
        }),
      }))
    },
  })
}

/** What another member says that it holds; nothing where it says something else. */
function claimOf(metadata: Buffer): Holding {
  try {
    const claim: unknown = JSON.parse(AssignerProtocol.MemberMetadata.decode(metadata)?.userData.toString() ?? '{}')
    if (typeof claim !== 'object' || claim === null) return {}
    return Object.fromEntries(Object.entries(claim).filter(([, partitions]) => Array.isArray(partitions))) as Holding
  } catch {
    return {}
  }
}

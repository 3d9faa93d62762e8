import type { TopicPartition } from '../../topic-partition.ts'
import type { PartitionTable } from './partition-table.ts'

/** What a member says it has, and the generation that gave it; −1 if it does not say. */
export interface Possession {
  readonly partitions: readonly TopicPartition[]
  readonly generationId: number
}

/** Who has what, once generations have settled who is right (KIP-792). */
export interface Claims {
  /** By member; each partition with at most one. */
  readonly owned: ReadonlyMap<string, readonly number[]>
  /** Claimed by two of the same, highest generation: neither can be believed, and nobody owns it. */
  readonly contested: ReadonlySet<number>
  /** Who had it in an older generation than the newest, if anybody says so. */
  readonly previous: ReadonlyMap<number, string>
}

/**
 * A partition that several claim belongs to the highest generation: the others missed a rebalance. Whose generation is old
 * but whose partition nobody else claims may keep it.
 */
export function settledClaims(table: PartitionTable, possessions: ReadonlyMap<string, Possession>): Claims {
  const newest = Math.max(-1, ...[...possessions.values()].map(({ generationId }) => generationId))
  const owners = new Map<number, { memberId: string; generationId: number }>()
  const contested = new Set<number>()
  const previous = new Map<number, { memberId: string; generationId: number }>()
  for (const memberId of table.members) {
    const possession = possessions.get(memberId)
    if (possession === undefined) continue
    const { generationId } = possession
    for (const index of known(table, possession.partitions)) {
      const owner = owners.get(index)
      if (owner === undefined || generationId > owner.generationId) {
        owners.set(index, { memberId, generationId })
        contested.delete(index)
      } else if (generationId === owner.generationId) {
        contested.add(index)
      }
      const before = previous.get(index)
      if (generationId < newest && (before === undefined || generationId > before.generationId)) {
        previous.set(index, { memberId, generationId })
      }
    }
  }
  const owned = new Map<string, number[]>(table.members.map(memberId => [memberId, []]))
  for (const [index, { memberId }] of owners) if (!contested.has(index)) owned.get(memberId)!.push(index)
  return { owned, contested, previous: new Map([...previous].map(([index, { memberId }]) => [index, memberId])) }
}

function known(table: PartitionTable, partitions: readonly TopicPartition[]): Set<number> {
  const indexes = new Set<number>()
  for (const partition of partitions) {
    const index = table.indexOf(partition)
    if (index !== undefined) indexes.add(index)
  }
  return indexes
}

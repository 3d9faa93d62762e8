import type { TopicPartition } from '../topic-partition.ts'

/** Partitions by topic id, as the coordinator of a consumer group speaks of them (KIP-848). */
export type GroupAssignment = ReadonlyMap<string, readonly number[]>

/** In order of topic ids and partitions, so that equal ones look the same on the wire. */
export function assignmentOf(
  topicPartitions: readonly { readonly topicId: string; readonly partitions: readonly number[] }[],
): GroupAssignment {
  const sorted = [...topicPartitions].sort((one, other) => (one.topicId < other.topicId ? -1 : 1))
  return new Map(sorted.map(({ topicId, partitions }) => [topicId, [...partitions].sort((a, b) => a - b)]))
}

export function topicPartitionsOf(assignment: GroupAssignment): { topicId: string; partitions: readonly number[] }[] {
  return [...assignment].map(([topicId, partitions]) => ({ topicId, partitions }))
}

export function isSameAssignment(one: GroupAssignment, other: GroupAssignment): boolean {
  if (one.size !== other.size) return false
  return [...one].every(([topicId, partitions]) => {
    const others = other.get(topicId)
    return others?.length === partitions.length && partitions.every((partition, index) => others[index] === partition)
  })
}

/** With names, as far as they are known; and the ids whose names are not. */
export function resolved(
  assignment: GroupAssignment,
  nameOf: (topicId: string) => string | undefined,
): { known: GroupAssignment; partitions: TopicPartition[]; unknownIds: string[] } {
  const known = new Map<string, readonly number[]>()
  const partitions: TopicPartition[] = []
  const unknownIds: string[] = []
  for (const [topicId, numbers] of assignment) {
    const topic = nameOf(topicId)
    if (topic === undefined) {
      unknownIds.push(topicId)
      continue
    }
    known.set(topicId, numbers)
    for (const partition of numbers) partitions.push({ topic, partition })
  }
  return { known, partitions, unknownIds }
}

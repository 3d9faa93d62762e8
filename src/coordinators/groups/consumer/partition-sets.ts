/** Topic id → partitions, ascending: what a member is to have. */
export type Assignment = ReadonlyMap<string, readonly number[]>

/** Topic id → partition → the assignment epoch since which it is the member's: what a member has (KIP-1251). */
export type OwnedPartitions = ReadonlyMap<string, ReadonlyMap<number, number>>

export const NO_PARTITIONS: Assignment = new Map()
export const NOTHING_OWNED: OwnedPartitions = new Map()

/** As requests, answers and records list partitions. */
export interface TopicPartitions {
  readonly topicId: string
  readonly partitions: readonly number[]
}

interface OwnedTopicPartitions extends TopicPartitions {
  readonly assignmentEpochs?: readonly number[] | null | undefined
}

export function assignmentOf(topics: readonly TopicPartitions[]): Assignment {
  const assignment = new Map<string, number[]>()
  for (const { topicId, partitions } of topics) {
    if (partitions.length > 0) assignment.set(topicId, ascending([...(assignment.get(topicId) ?? []), ...partitions]))
  }
  return assignment
}

export function partitionsOf(assignment: Assignment): TopicPartitions[] {
  return [...assignment].map(([topicId, partitions]) => ({ topicId, partitions }))
}

/** Records of brokers before 4.3 say no epochs: every partition counts as the member's since `epoch`, its own. */
export function ownedOf(topics: readonly OwnedTopicPartitions[], epoch: number): OwnedPartitions {
  const owned = new Map<string, Map<number, number>>()
  for (const { topicId, partitions, assignmentEpochs } of topics) {
    if (partitions.length === 0) continue
    const since = owned.get(topicId) ?? new Map<number, number>()
    partitions.forEach((partition, index) => {
      since.set(partition, assignmentEpochs?.[index] ?? epoch)
    })
    owned.set(topicId, since)
  }
  return owned
}

export function ownedTopicPartitions(
  owned: OwnedPartitions,
): (TopicPartitions & { readonly assignmentEpochs: readonly number[] })[] {
  return [...owned].map(([topicId, since]) => {
    const partitions = ascending([...since.keys()])
    return { topicId, partitions, assignmentEpochs: partitions.map(partition => since.get(partition)!) }
  })
}

/** Without the epochs. */
export function withoutEpochs(owned: OwnedPartitions): Assignment {
  return new Map([...owned].map(([topicId, since]) => [topicId, ascending([...since.keys()])]))
}

export function union(one: OwnedPartitions, other: OwnedPartitions): OwnedPartitions {
  if (other.size === 0) return one
  if (one.size === 0) return other
  const all = new Map([...one].map(([topicId, since]) => [topicId, new Map(since)]))
  for (const [topicId, since] of other) {
    const into = all.get(topicId) ?? new Map<number, number>()
    for (const [partition, epoch] of since) into.set(partition, epoch)
    all.set(topicId, into)
  }
  return all
}

export function sameAssignment(one: Assignment, other: Assignment): boolean {
  if (one === other) return true
  if (one.size !== other.size) return false
  for (const [topicId, partitions] of one) {
    const others = other.get(topicId)
    if (others === undefined || others.length !== partitions.length) return false
    for (let i = 0; i < partitions.length; i++) if (partitions[i] !== others[i]) return false
  }
  return true
}

/** The same partitions; since when they are the member's is not compared. */
export function samePartitions(one: OwnedPartitions, other: OwnedPartitions): boolean {
  if (one === other) return true
  if (one.size !== other.size) return false
  for (const [topicId, since] of one) {
    const others = other.get(topicId)
    if (others === undefined || others.size !== since.size) return false
    for (const partition of since.keys()) if (!others.has(partition)) return false
  }
  return true
}

/** Everything in `topics` is in `owned`. A list that was left out is no subset (G-52). */
export function isSubset(topics: readonly TopicPartitions[] | null, owned: OwnedPartitions): boolean {
  if (topics === null) return false
  return topics.every(({ topicId, partitions }) => {
    const since = owned.get(topicId)
    return partitions.every(partition => since?.has(partition) === true)
  })
}

/** Anything in `topics` is in `owned`. A list that was left out may hold anything. */
export function overlaps(topics: readonly TopicPartitions[] | null, owned: OwnedPartitions): boolean {
  if (topics === null) return owned.size > 0
  return topics.some(({ topicId, partitions }) => {
    const since = owned.get(topicId)
    return since !== undefined && partitions.some(partition => since.has(partition))
  })
}

export function countOf(assignment: OwnedPartitions | Assignment): number {
  let count = 0
  for (const partitions of assignment.values()) count += 'size' in partitions ? partitions.size : partitions.length
  return count
}

function ascending(partitions: number[]): number[] {
  return partitions.sort((a, b) => a - b)
}

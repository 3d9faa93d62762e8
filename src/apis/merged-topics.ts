interface TopicAnswer {
  readonly name: string
  /** Where the request names topics by id. */
  readonly topicId?: string
  readonly partitions: readonly unknown[]
}

/**
 * One entry a topic: what the broker refuses by itself, before what the coordinator has answered (Kafka's response builders
 * of OffsetCommit and OffsetDelete).
 */
export function mergedTopics<T extends TopicAnswer>(refused: readonly T[], answered: readonly T[]): readonly T[] {
  if (refused.length === 0) return answered
  const topics = new Map<string, T>()
  for (const topic of [...refused, ...answered]) {
    const key = `${topic.name}/${topic.topicId}`
    const before = topics.get(key)?.partitions ?? []
    topics.set(key, { ...topic, partitions: [...before, ...topic.partitions] })
  }
  return [...topics.values()]
}

import type { Admin } from '../client/clients.ts'
import { didYouMean } from '../metadata/nearest-name.ts'
import { KafkaError } from '../wire/errors.ts'
import { UsageError } from './flags.ts'

/**
 * How many partitions the topic has. A consumer would wait for a topic that nobody knows, or have it created: here it is
 * misspelt.
 *
 * @throws {UsageError} with the nearest name
 */
export async function partitionCount(admin: Admin, topic: string): Promise<number> {
  try {
    const described = await admin.describeTopics([topic])
    return described.get(topic)!.partitions.length
  } catch (error) {
    if (!(error instanceof KafkaError) || error.errorName !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
    const names = (await admin.listTopics()).map(({ name }) => name)
    const there = names.length === 0 ? ': there is none at all' : `: there are ${names.join(', ')}`
    throw new KafkaError(error.errorName, `there is no topic '${topic}'${didYouMean(topic, names) || there}`)
  }
}

/** @throws {UsageError} for a partition that the topic does not have */
export function requirePartition(topic: string, partition: number, partitions: number): void {
  if (partition < partitions) return
  const has = partitions === 1 ? '1 partition, 0' : `${partitions} partitions, 0 to ${partitions - 1}`
  throw new UsageError(`--partition ${partition}: topic '${topic}' has ${has}`)
}

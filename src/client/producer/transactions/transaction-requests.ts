import { addOffsetsToTxn } from '../../../apis/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from '../../../apis/add-partitions-to-txn.ts'
import { endTxn } from '../../../apis/end-txn.ts'
import { initProducerId } from '../../../apis/init-producer-id.ts'
import { txnOffsetCommit } from '../../../apis/txn-offset-commit.ts'
import { errorCodes, KafkaError } from '../../../wire/errors.ts'
import type { Connections } from '../../connections.ts'
import type { GroupMetadata } from '../../consumer/consumer-arguments.ts'
import type { OffsetToCommit } from '../../consumer/group-offsets.ts'
import type { NodeConnection } from '../../node-connection.ts'
import type { TopicPartition } from '../../topic-partition.ts'

/** Last versions of producers that do not raise their epoch with every transaction (C-60). */
const LAST_OF_V1 = { addPartitions: 3, addOffsets: 4, endTxn: 4, txnOffsetCommit: 4 } as const

export interface Identity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** Offsets that a transaction commits for a group. */
export interface TransactionOffsets {
  readonly group: GroupMetadata
  readonly offsets: readonly OffsetToCommit[]
}

/** What a transactional producer asks its coordinators (C-51). Every question rejects with the KafkaError of the answer. */
export class TransactionRequests {
  readonly #connections: Connections
  readonly #transactionalId: string

  constructor(connections: Connections, transactionalId: string) {
    this.#connections = connections
    this.#transactionalId = transactionalId
  }

  /** @param known what the producer is, if its epoch is to be raised (KIP-360) */
  async initialize(node: NodeConnection, timeoutMs: number, known: Identity | undefined): Promise<Identity> {
    const body = { transactionalId: this.#transactionalId, transactionTimeoutMs: timeoutMs, ...known }
    const { errorCode, producerId, producerEpoch } = await this.#connections.request(node, initProducerId, () => body)
    check(errorCode)
    return { producerId, producerEpoch }
  }

  /** The error of each partition that was not added. */
  async addPartitions(
    node: NodeConnection,
    { producerId, producerEpoch }: Identity,
    partitions: readonly TopicPartition[],
  ): Promise<Map<TopicPartition, KafkaError>> {
    const body = {
      v3AndBelowTransactionalId: this.#transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: byTopic(partitions, ({ partition }) => partition),
    }
    const options = { maxVersion: LAST_OF_V1.addPartitions }
    const { resultsByTopicV3AndBelow: results } = await this.#connections.request(
      node,
      addPartitionsToTxn,
      () => body,
      options,
    )
    const errors = new Map<TopicPartition, KafkaError>()
    for (const asked of partitions) {
      const topic = results.find(({ name }) => name === asked.topic)
      const said = topic?.resultsByPartition.find(({ partitionIndex }) => partitionIndex === asked.partition)
      const code = said?.partitionErrorCode ?? errorCodes.UNKNOWN_SERVER_ERROR
      if (code !== errorCodes.NONE) errors.set(asked, KafkaError.of(code))
    }
    return errors
  }

  async addOffsets(node: NodeConnection, { producerId, producerEpoch }: Identity, groupId: string): Promise<void> {
    const body = { transactionalId: this.#transactionalId, producerId, producerEpoch, groupId }
    const options = { maxVersion: LAST_OF_V1.addOffsets }
    check((await this.#connections.request(node, addOffsetsToTxn, () => body, options)).errorCode)
  }

  /** To the group's coordinator. The error of the first partition that was refused. */
  async commitOffsets(
    node: NodeConnection,
    { producerId, producerEpoch }: Identity,
    { group, offsets }: TransactionOffsets,
    version: 1 | 2,
  ): Promise<void> {
    const { groupId, generationId, memberId, groupInstanceId } = group
    const body = {
      transactionalId: this.#transactionalId,
      groupId,
      producerId,
      producerEpoch,
      generationId,
      memberId,
      groupInstanceId,
      topics: byTopic(offsets, ({ partition, offset, leaderEpoch, metadata }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: leaderEpoch ?? -1,
        committedMetadata: metadata ?? '',
      })),
    }
    const options = version === 1 ? { maxVersion: LAST_OF_V1.txnOffsetCommit } : {}
    const { topics } = await this.#connections.request(node, txnOffsetCommit, () => body, options)
    for (const { name, partitions } of topics) {
      for (const { partitionIndex, errorCode } of partitions) check(errorCode, `offset of ${name}-${partitionIndex}`)
    }
  }

  /** What the producer is from now on, where the coordinator says it. */
  async end(
    node: NodeConnection,
    { producerId, producerEpoch }: Identity,
    committed: boolean,
    version: 1 | 2,
  ): Promise<Identity | undefined> {
    const body = { transactionalId: this.#transactionalId, producerId, producerEpoch, committed }
    const options = version === 1 ? { maxVersion: LAST_OF_V1.endTxn } : {}
    const answer = await this.#connections.request(node, endTxn, () => body, options)
    check(answer.errorCode)
    return answer.producerId < 0 ? undefined : { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
  }
}

function check(code: number, what?: string): void {
  if (code === errorCodes.NONE) return
  const { message } = KafkaError.of(code)
  throw KafkaError.of(code, what === undefined ? undefined : `${what}: ${message}`)
}

function byTopic<P extends TopicPartition, T>(
  items: readonly P[],
  entryOf: (item: P) => T,
): { name: string; partitions: T[] }[] {
  const topics = new Map<string, T[]>()
  for (const item of items) {
    const known = topics.get(item.topic)
    if (known === undefined) topics.set(item.topic, [entryOf(item)])
    else known.push(entryOf(item))
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }))
}

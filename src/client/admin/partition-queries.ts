import { deleteRecords as deleteRecordsApi } from '../../apis/delete-records.ts'
import { describeProducers as describeProducersApi } from '../../apis/describe-producers.ts'
import { IllegalArgumentError, KafkaError } from '../../wire/errors.ts'
import { textOf } from '../arguments.ts'
import { byTopic, type FoundOffset, lookUpOffsets } from '../list-offsets.ts'
import { partitionText, type TopicPartition } from '../topic-partition.ts'
import { type AdminClient, type Answers, allOf, errorOfItem } from './admin-client.ts'

/** Up to where records go: all before `beforeOffset`; −1 means the high watermark. */
export interface RecordsToDelete extends TopicPartition {
  readonly beforeOffset: number
}

/** A place in the log, or a time in milliseconds since the epoch. */
export type OffsetSpec =
  | 'earliest'
  | 'latest'
  | 'maxTimestamp'
  | 'earliestLocal'
  | 'latestTiered'
  | 'earliestPendingUpload'
  | number

export interface OffsetRequest extends TopicPartition {
  readonly spec: OffsetSpec
}

export interface ListedOffset {
  /** −1: there is none. */
  readonly offset: number
  /** −1: none. */
  readonly timestamp: number
  readonly leaderEpoch: number | undefined
}

/** A producer as the leader of a partition knows it (KIP-664). */
export interface ProducerState {
  readonly producerId: number
  readonly producerEpoch: number
  /** −1: none. */
  readonly lastSequence: number
  /** Milliseconds since the epoch; −1: none. */
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number | undefined
  /** Where its open transaction begins. */
  readonly currentTransactionStartOffset: number | undefined
}

const specs = {
  latest: -1,
  earliest: -2,
  maxTimestamp: -3,
  earliestLocal: -4,
  latestTiered: -5,
  earliestPendingUpload: -6,
} as const

/** Asks the leader of each partition; those whose leader has moved meanwhile are asked for again. */
export async function atLeaders<P extends TopicPartition, Result>(
  client: AdminClient,
  partitions: readonly P[],
  ask: (nodeId: number, partitions: readonly P[], answers: Answers<P, Result>) => Promise<void>,
): Promise<Map<P, Result>> {
  const deadline = client.runtime.now() + client.configs['default.api.timeout.ms']
  const answers: Answers<P, Result> = new Map()
  let left = partitions
  for (;;) {
    const { led, not } = await client.leaders(left)
    for (const [partition, error] of not) answers.set(partition, error)
    await Promise.all([...led].map(([nodeId, here]) => ask(nodeId, here, answers)))
    left = partitions.filter(partition => isStale(answers.get(partition)))
    if (left.length === 0 || client.runtime.now() >= deadline) break
    await client.runtime.sleep(client.configs['retry.backoff.ms'])
  }
  return allOf(answers, partitionText)
}

const staleErrors = ['NOT_LEADER_OR_FOLLOWER', 'FENCED_LEADER_EPOCH', 'UNKNOWN_LEADER_EPOCH', 'OFFSET_NOT_AVAILABLE']

function isStale(answer: unknown): boolean {
  return answer instanceof KafkaError && staleErrors.includes(answer.errorName)
}

export async function deleteRecords(
  client: AdminClient,
  records: readonly RecordsToDelete[],
  options: { readonly timeoutMs?: number },
): Promise<Map<RecordsToDelete, { lowWatermark: number }>> {
  for (const { beforeOffset } of records) {
    if (Number.isSafeInteger(beforeOffset) && beforeOffset >= -1) continue
    throw new IllegalArgumentError(
      `beforeOffset is an offset, or -1 for the high watermark, not ${textOf(beforeOffset)}`,
    )
  }
  const timeoutMs = options.timeoutMs ?? client.configs['request.timeout.ms']
  return atLeaders(
    client,
    records,
    async (nodeId, here, answers: Answers<RecordsToDelete, { lowWatermark: number }>) => {
      const topics = byTopic(here).map(([name, items]) => ({
        name,
        partitions: items.map(({ partition, beforeOffset }) => ({ partitionIndex: partition, offset: beforeOffset })),
      }))
      const response = await client.askBroker(nodeId, deleteRecordsApi, { topics, timeoutMs })
      for (const { name, partitions } of response.topics) {
        for (const { partitionIndex, lowWatermark, errorCode } of partitions) {
          const item = find(here, name, partitionIndex)
          if (item !== undefined) answers.set(item, errorOfItem(errorCode) ?? { lowWatermark })
        }
      }
    },
  )
}

export async function listOffsets(
  client: AdminClient,
  requests: readonly OffsetRequest[],
  options: { readonly isolationLevel?: 'read_committed' | 'read_uncommitted' },
): Promise<Map<OffsetRequest, ListedOffset>> {
  const targets = new Map(requests.map(request => [request, { ...request, timestamp: timestampOf(request.spec) }]))
  return atLeaders(client, requests, async (_, here, answers: Answers<OffsetRequest, ListedOffset>) => {
    const isReadCommitted = options.isolationLevel === 'read_committed'
    const timeoutMs = client.configs['request.timeout.ms']
    const asked = here.map(request => targets.get(request)!)
    const found = await lookUpOffsets(client.connections, client.metadata, asked, { isReadCommitted, timeoutMs })
    for (const request of here) {
      const answer = found.get(targets.get(request)!)
      if (answer !== undefined) answers.set(request, answer instanceof KafkaError ? answer : listed(answer))
    }
  })
}

function listed({ offset, timestamp, leaderEpoch }: FoundOffset): ListedOffset {
  return { offset, timestamp, leaderEpoch: leaderEpoch < 0 ? undefined : leaderEpoch }
}

function timestampOf(spec: OffsetSpec): number {
  if (typeof spec === 'number' && spec >= 0) return spec
  if (typeof spec === 'string' && Object.hasOwn(specs, spec)) return specs[spec]
  const names = Object.keys(specs).join(', ')
  throw new IllegalArgumentError(`an offset is asked for by ${names}, or a time in milliseconds, not by ${spec}`)
}

export async function describeProducers(
  client: AdminClient,
  partitions: readonly TopicPartition[],
): Promise<Map<TopicPartition, ProducerState[]>> {
  return atLeaders(client, partitions, async (nodeId, here, answers: Answers<TopicPartition, ProducerState[]>) => {
    const topics = byTopic(here).map(([name, items]) => ({
      name,
      partitionIndexes: items.map(({ partition }) => partition),
    }))
    const response = await client.askBroker(nodeId, describeProducersApi, { topics })
    for (const { name, partitions: said } of response.topics) {
      for (const { partitionIndex, errorCode, errorMessage, activeProducers } of said) {
        const item = find(here, name, partitionIndex)
        if (item === undefined) continue
        const states = activeProducers.map(producer => ({
          producerId: producer.producerId,
          producerEpoch: producer.producerEpoch,
          lastSequence: producer.lastSequence,
          lastTimestamp: producer.lastTimestamp,
          coordinatorEpoch: producer.coordinatorEpoch < 0 ? undefined : producer.coordinatorEpoch,
          currentTransactionStartOffset:
            producer.currentTxnStartOffset < 0 ? undefined : producer.currentTxnStartOffset,
        }))
        answers.set(item, errorOfItem(errorCode, errorMessage) ?? states)
      }
    }
  })
}

function find<P extends TopicPartition>(partitions: readonly P[], topic: string, partition: number): P | undefined {
  return partitions.find(item => item.topic === topic && item.partition === partition)
}

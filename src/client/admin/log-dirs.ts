import { alterReplicaLogDirs as alterReplicaLogDirsApi } from '../../apis/alter-replica-log-dirs.ts'
import { describeLogDirs as describeLogDirsApi } from '../../apis/describe-log-dirs.ts'
import { IllegalArgumentError, type KafkaError } from '../../wire/errors.ts'
import { refuseUnknown, requireArray } from '../arguments.ts'
import { byTopic } from '../list-offsets.ts'
import { partitionText, type TopicPartition } from '../topic-partition.ts'
import { type AdminClient, type Answers, allOf, errorOfItem } from './admin-client.ts'

/** One replica in a directory. */
export interface LogDirReplica extends TopicPartition {
  /** Bytes. */
  readonly size: number
  readonly offsetLag: number
  /** It is being moved here. */
  readonly isFuture: boolean
}

export interface LogDirDescription {
  /** Why the directory is out of use; undefined: it is fine. */
  readonly error: KafkaError | undefined
  readonly replicas: readonly LogDirReplica[]
  /** Bytes of the volume; undefined: not known. */
  readonly totalBytes: number | undefined
  readonly usableBytes: number | undefined
  readonly isCordoned: boolean
}

/** Where one replica of a broker shall be. */
export interface ReplicaLogDir extends TopicPartition {
  readonly brokerId: number
  readonly path: string
}

/** By broker, then by path. */
export async function describeLogDirs(
  client: AdminClient,
  brokerIds: readonly number[],
): Promise<Map<number, Map<string, LogDirDescription>>> {
  requireArray('describeLogDirs', brokerIds, '[1, 2, 3]')
  const answers: Answers<number, Map<string, LogDirDescription>> = new Map()
  for (const brokerId of new Set(brokerIds)) {
    if (!Number.isInteger(brokerId)) {
      throw new IllegalArgumentError(`describeLogDirs takes ids of brokers, as in [1], not ${JSON.stringify(brokerId)}`)
    }
    const response = await client.askBroker(brokerId, describeLogDirsApi, { topics: null }, first => first.errorCode)
    answers.set(brokerId, new Map(response.results.map(result => [result.logDir, descriptionOf(result)])))
  }
  return allOf(answers, brokerId => `broker ${brokerId}`)
}

function descriptionOf(result: {
  readonly errorCode: number
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly {
      readonly partitionIndex: number
      readonly partitionSize: number
      readonly offsetLag: number
      readonly isFutureKey: boolean
    }[]
  }[]
  readonly totalBytes: number
  readonly usableBytes: number
  readonly isCordoned: boolean
}): LogDirDescription {
  const { errorCode, topics, totalBytes, usableBytes, isCordoned } = result
  return {
    error: errorOfItem(errorCode),
    replicas: topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, partitionSize, offsetLag, isFutureKey }) => ({
        topic: name,
        partition: partitionIndex,
        size: partitionSize,
        offsetLag,
        isFuture: isFutureKey,
      })),
    ),
    totalBytes: totalBytes < 0 ? undefined : totalBytes,
    usableBytes: usableBytes < 0 ? undefined : usableBytes,
    isCordoned,
  }
}

export async function alterReplicaLogDirs(client: AdminClient, moves: readonly ReplicaLogDir[]): Promise<void> {
  const example = "[{ topic: 'orders', partition: 0, brokerId: 1, path: '/data/b' }]"
  requireArray('alterReplicaLogDirs', moves, example)
  const byBroker = new Map<number, ReplicaLogDir[]>()
  for (const move of moves) {
    refuseUnknown(`alterReplicaLogDirs, as in ${example},`, move, ['topic', 'partition', 'brokerId', 'path'])
    byBroker.set(move.brokerId, [...(byBroker.get(move.brokerId) ?? []), move])
  }
  const answers: Answers<ReplicaLogDir, undefined> = new Map()
  for (const [brokerId, here] of byBroker) {
    const paths = new Map<string, ReplicaLogDir[]>()
    for (const move of here) paths.set(move.path, [...(paths.get(move.path) ?? []), move])
    const dirs = [...paths].map(([path, items]) => ({
      path,
      topics: byTopic(items).map(([name, each]) => ({ name, partitions: each.map(({ partition }) => partition) })),
    }))
    const { results } = await client.askBroker(brokerId, alterReplicaLogDirsApi, { dirs })
    for (const { topicName, partitions } of results) {
      for (const { partitionIndex, errorCode } of partitions) {
        const move = here.find(each => each.topic === topicName && each.partition === partitionIndex)
        if (move !== undefined) answers.set(move, errorOfItem(errorCode))
      }
    }
  }
  allOf(answers, move => `${partitionText(move)} at broker ${move.brokerId}`)
}

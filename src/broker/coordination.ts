import { writeTxnMarkers } from '../apis/write-txn-markers.ts'
import { GroupCoordinator } from '../coordinators/groups/group-coordinator.ts'
import type { GroupEnvironment } from '../coordinators/groups/group-environment.ts'
import { partitionFor } from '../coordinators/partition-for.ts'
import type { ShardAppend, ShardAppendOptions, ShardCommit, ShardLog } from '../coordinators/shard-log.ts'
import { TransactionCoordinator } from '../coordinators/transactions/transaction-coordinator.ts'
import type { TransactionEnvironment } from '../coordinators/transactions/transaction-environment.ts'
import type { TransactionSteps } from '../coordinators/transactions/transaction-stops.ts'
import type { VerificationGuard } from '../log/producer-states.ts'
import { type ClusterImage, NO_LEADER } from '../metadata/image.ts'
import type { ImageChanges } from '../metadata/image-changes.ts'
import { OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from '../metadata/topic-names.ts'
import type { Life } from '../node/life.ts'
import type { PeerLink } from '../node/peer-link.ts'
import { KafkaError } from '../wire/errors.ts'
import type { RecordBatch } from '../wire/record-batch.ts'
import type { Partition } from './partition.ts'

/** Key types of FindCoordinator (W-44). Share groups, type 2, there are none of: refused as a type nobody knows. */
const topicsByKeyType = new Map([
  [0, OFFSETS_TOPIC],
  [1, TRANSACTIONS_TOPIC],
])

/** How much of a log a coordinator is handed at once while it loads. */
const LOAD_BYTES = 5_242_880

export interface CoordinationEnvironment
  extends GroupEnvironment,
    Omit<TransactionEnvironment, 'writeMarkers' | 'stops'> {
  readonly steps: TransactionSteps
  readonly runtime: Life
  readonly linkTo: (brokerId: number) => PeerLink
  /** Makes an internal topic, in the background. */
  readonly createTopic: (topic: string) => void
}

/** The coordinators of one broker: which partitions of their topics it leads, they learn here. */
export class Coordination {
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  readonly #life: Life
  readonly #image: ClusterImage
  readonly #create: (topic: string) => void

  constructor(environment: CoordinationEnvironment) {
    this.#life = environment.runtime
    this.#image = environment.image
    this.#create = environment.createTopic
    this.groups = new GroupCoordinator(environment)
    this.transactions = new TransactionCoordinator(ofTransactions(environment))
  }

  /**
   * The broker that coordinates a group or a transactional id. A topic that is not there yet is made (M-16).
   *
   * @throws {KafkaError} COORDINATOR_NOT_AVAILABLE while there is none; INVALID_REQUEST for an unknown key type
   */
  find(keyType: number, key: string): number {
    const name = topicsByKeyType.get(keyType)
    if (name === undefined) throw new KafkaError('INVALID_REQUEST')
    const topic = this.#image.topic(name)
    if (topic === undefined) this.#create(name)
    const leader = topic?.partitions[partitionFor(key, topic.partitions.length)]?.leader ?? NO_LEADER
    if (leader === NO_LEADER) throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
    return leader
  }

  /** A partition is led here since an epoch, or no longer. */
  roleChanged(partition: Partition): void {
    const coordinator =
      partition.topic === OFFSETS_TOPIC
        ? this.groups
        : partition.topic === TRANSACTIONS_TOPIC
          ? this.transactions
          : undefined
    if (partition.isLeader) coordinator?.elected(new PartitionLog(partition, this.#life))
    else coordinator?.resigned(partition.index)
  }

  metadataChanged(changes: ImageChanges): void {
    this.groups.metadataChanged(changes)
    this.transactions.metadataChanged(changes)
  }
}

/** Markers go over connections of their own, also to this very broker, as in Kafka. */
function ofTransactions(environment: CoordinationEnvironment): TransactionEnvironment {
  const links = new Map<number, PeerLink>()
  return {
    ...environment,
    config: () => environment.config(),
    stops: {
      at: (transactionalId, step) => {
        const stop = environment.steps.at(transactionalId, step)
        return stop === undefined ? undefined : environment.runtime.guard(stop)
      },
      isBetweenMarkers: transactionalId => environment.steps.isBetweenMarkers(transactionalId),
    },
    takeProducerId: () => environment.takeProducerId(),
    writeMarkers: (brokerId, request, answered) => {
      const link = links.get(brokerId) ?? environment.linkTo(brokerId)
      links.set(brokerId, link)
      link.send(writeTxnMarkers, request, environment.config()['request.timeout.ms'], {
        onResponse: answered,
        onLost: () => answered(undefined),
      })
    },
  }
}

/** A partition that this broker leads, as a coordinator sees it. */
class PartitionLog implements ShardLog {
  readonly leaderEpoch: number
  readonly #partition: Partition
  readonly #life: Life

  constructor(partition: Partition, life: Life) {
    this.leaderEpoch = partition.leaderEpoch
    this.#partition = partition
    this.#life = life
  }

  get name(): string {
    return this.#partition.name
  }

  get partition(): number {
    return this.#partition.index
  }

  get startOffset(): number {
    return this.#partition.log.startOffset
  }

  get endOffset(): number {
    return this.#partition.log.assignedEndOffset
  }

  get highWatermark(): number {
    return this.#partition.log.highWatermark
  }

  read(from: number): readonly RecordBatch[] | Promise<readonly RecordBatch[]> {
    const { log } = this.#partition
    const read = () => log.read(from, LOAD_BYTES, log.endOffset, { minOneBatch: true })
    // What a follower has just been sent may still be on its way to the store when it is made leader.
    const drained = from < log.endOffset ? undefined : log.drained()
    const batches = drained instanceof Promise ? drained.then(read) : read()
    return batches instanceof Promise ? this.#life.guard(batches) : batches
  }

  append(
    batch: RecordBatch,
    options: ShardAppendOptions & { readonly verification?: VerificationGuard } = {},
  ): ShardAppend {
    const { verification, transactionVersion = 0 } = options
    const { baseOffset, lastOffset, stored } = this.#partition.append(batch, -1, {
      origin: 'coordinator',
      verificationGuard: verification,
      transactionVersion,
    })
    return {
      baseOffset,
      nextOffset: lastOffset + 1,
      stored: stored instanceof Promise ? this.#life.guard(stored) : undefined,
    }
  }

  awaitCommit({ offset, settle }: ShardCommit): void {
    // Too few replicas in sync by the time: it is committed all the same, and stays.
    this.#partition.awaitCommit({ offset, settle: error => settle(error !== 'NOT_LEADER_OR_FOLLOWER') })
  }
}

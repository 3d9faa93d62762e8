import { alterPartition } from '../apis/alter-partition.ts'
import type { Life } from '../node/life.ts'
import type { PeerLink } from '../node/peer-link.ts'
import type { RequestInput, ResponseOf } from '../wire/api.ts'
import { errorCodes, errorOf } from '../wire/errors.ts'
import type { Partition } from './partition.ts'

export interface AlterPartitionsOptions {
  readonly life: Life
  readonly link: PeerLink
  readonly brokerId: number
  readonly name: string
  readonly brokerEpoch: () => number
  readonly epochOf: (brokerId: number, partition: Partition) => number
  readonly retryMs: number
}

const REQUEST_TIMEOUT_MS = 30_000

/** The answers after which the proposal stays pending, since newer metadata is on its way. */
const waitsForMetadata: ReadonlySet<number> = new Set([
  errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
  errorCodes.UNKNOWN_TOPIC_ID,
  errorCodes.FENCED_LEADER_EPOCH,
  errorCodes.INVALID_UPDATE_VERSION,
  errorCodes.INVALID_REQUEST,
  errorCodes.NEW_LEADER_ELECTED,
])

/** Carries proposals for in-sync sets to the controller, one request at a time (Kafka's AlterPartitionManager, R-22). */
export class AlterPartitions {
  readonly #options: AlterPartitionsOptions
  readonly #waiting = new Set<Partition>()
  #inFlight = false

  constructor(options: AlterPartitionsOptions) {
    this.#options = options
  }

  propose(partition: Partition): void {
    this.#waiting.add(partition)
    if (!this.#inFlight) this.#send()
  }

  #send(): void {
    const { link } = this.#options
    const partitions = [...this.#waiting].filter(
      partition => partition.isLeader && partition.inSync.pending !== undefined,
    )
    this.#waiting.clear()
    if (partitions.length === 0) return
    this.#inFlight = true
    link.send(alterPartition, this.#request(partitions), REQUEST_TIMEOUT_MS, {
      onResponse: response => this.#answered(partitions, response),
      onLost: () => this.#retry(partitions),
    })
  }

  #request(partitions: readonly Partition[]): RequestInput<typeof alterPartition> {
    const { brokerId, brokerEpoch, epochOf } = this.#options
    const byTopic = new Map<string, Partition[]>()
    for (const partition of partitions) {
      const group = byTopic.get(partition.topicId)
      if (group === undefined) byTopic.set(partition.topicId, [partition])
      else group.push(partition)
    }
    return {
      brokerId,
      brokerEpoch: brokerEpoch(),
      topics: [...byTopic].map(([topicId, group]) => ({
        topicId,
        partitions: group.map(partition => ({
          partitionIndex: partition.index,
          leaderEpoch: partition.leaderEpoch,
          newIsrWithEpochs: partition.inSync.pending!.members.map(member => ({
            brokerId: member,
            brokerEpoch: epochOf(member, partition),
          })),
          leaderRecoveryState: 0,
          partitionEpoch: partition.state.partitionEpoch,
        })),
      })),
    }
  }

  #answered(partitions: readonly Partition[], response: ResponseOf<typeof alterPartition>): void {
    this.#inFlight = false
    if (response.errorCode !== errorCodes.NONE) {
      this.#retry(partitions)
      return
    }
    const retry: Partition[] = []
    for (const topic of response.topics) {
      for (const answer of topic.partitions) {
        const partition = partitions.find(p => p.topicId === topic.topicId && p.index === answer.partitionIndex)
        if (partition !== undefined && !this.#settle(partition, answer)) retry.push(partition)
      }
    }
    if (retry.length > 0) this.#retry(retry)
    else if (this.#waiting.size > 0) this.#send()
  }

  /** False: the same again, later. */
  #settle(
    partition: Partition,
    answer: ResponseOf<typeof alterPartition>['topics'][number]['partitions'][number],
  ): boolean {
    const { life, name } = this.#options
    if (answer.errorCode === errorCodes.NONE) {
      partition.altered({
        ...partition.state,
        leader: answer.leaderId,
        leaderEpoch: answer.leaderEpoch,
        inSyncReplicas: answer.isr,
        recoveryState: answer.leaderRecoveryState,
        partitionEpoch: answer.partitionEpoch,
      })
      return true
    }
    life.trace.add('isr-change', name, { what: `${partition.name} refused`, error: errorOf(answer.errorCode).name })
    if (waitsForMetadata.has(answer.errorCode)) return true
    if (answer.errorCode === errorCodes.INELIGIBLE_REPLICA || answer.errorCode === errorCodes.OPERATION_NOT_ATTEMPTED) {
      partition.dropProposal()
      return true
    }
    return false
  }

  #retry(partitions: readonly Partition[]): void {
    const { life, retryMs } = this.#options
    this.#inFlight = true
    for (const partition of partitions) this.#waiting.add(partition)
    life.after(
      retryMs,
      () => {
        this.#inFlight = false
        this.#send()
      },
      { housekeeping: true },
    )
  }
}

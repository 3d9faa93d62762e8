import { offsetForLeaderEpoch } from '../../apis/offset-for-leader-epoch.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { errorCodes, KafkaError, NoOffsetForPartitionError } from '../../wire/errors.ts'
import type { Connections } from '../connections.ts'
import { byTopic, EARLIEST, lookUpOffsets, type OffsetTarget } from '../list-offsets.ts'
import type { ClientMetadata } from '../metadata.ts'
import type { OffsetAndMetadata, TopicPartition } from '../topic-partition.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import { isRetriable } from './commits.ts'
import { resetTimestamp } from './reset-policy.ts'
import type { Subscription } from './subscription.ts'

export interface PositionOptions {
  readonly runtime: Runtime
  readonly connections: Connections
  readonly metadata: ClientMetadata
  readonly subscription: Subscription
  readonly isReadCommitted: boolean
  /** `auto.offset.reset` */
  readonly resetPolicy: string
  /** What the group has committed, by the partitions' names; left out without a group. Asks once. */
  readonly committed?:
    | ((partitions: readonly TopicPartition[]) => Promise<Map<string, OffsetAndMetadata | null>>)
    | undefined
  readonly retryBackoffMs: number
  readonly requestTimeoutMs: number
  /** Something was resolved, or has to be tried again: look again. */
  readonly changed: () => void
}

/** The log that was read has been cut, and nothing says where to go on (LogTruncationException; KIP-320). */
export class LogTruncationError extends Error {
  override readonly name = 'LogTruncationError'
}

/**
 * Where partitions stand: looked up where nothing says so, and validated after a change of leader: the new leader may lack
 * what was read (KIP-320; Kafka's OffsetFetcher).
 */
export class Positions {
  readonly #options: PositionOptions
  /** What the next poll throws. */
  #error: Error | undefined

  constructor(options: PositionOptions) {
    this.#options = options
  }

  takeError(): Error | undefined {
    const error = this.#error
    this.#error = undefined
    return error
  }

  /** Begins what is due; `changed` is called as answers come. */
  update(): void {
    const { runtime, subscription, metadata, committed } = this.#options
    const now = runtime.now()
    const toBegin: AssignedPartition[] = []
    const toReset: AssignedPartition[] = []
    const toValidate: AssignedPartition[] = []
    for (const partition of subscription) {
      if (partition.isResolving || partition.notBefore > now) continue
      if (partition.position === undefined) {
        if (partition.resetTo === undefined && committed !== undefined) {
          toBegin.push(partition)
          continue
        }
        if (partition.resetTo === undefined) this.resetByPolicy(partition)
        if (partition.resetTo === undefined) continue
        if (metadata.leaderOf(partition.topic, partition.partition) !== undefined) toReset.push(partition)
        else metadata.requestUpdate()
      } else {
        const epoch = metadata.partition(partition.topic, partition.partition)?.leaderEpoch ?? -1
        if (epoch <= partition.validatedEpoch) continue
        partition.preferred = undefined
        // Without the epoch of the record before, nobody can say whether that is still there.
        if (partition.offsetEpoch < 0) partition.validatedEpoch = epoch
        else toValidate.push(partition)
      }
    }
    if (toBegin.length > 0) void this.#begin(toBegin)
    if (toReset.length > 0) void this.#reset(toReset)
    if (toValidate.length > 0) void this.#validate(toValidate)
  }

  /** The policy decides where to go on; without one the next poll throws `otherwise`. */
  resetByPolicy(partition: AssignedPartition, otherwise?: Error): void {
    const { runtime, resetPolicy } = this.#options
    const timestamp = resetTimestamp(resetPolicy, runtime.now())
    if (timestamp !== undefined) partition.reset(timestamp)
    else this.#error ??= otherwise ?? noOffset(partition)
  }

  /** Where the group left off; the policy decides where it never was. */
  async #begin(partitions: readonly AssignedPartition[]): Promise<void> {
    const asked = partitions.map(partition => {
      partition.isResolving = true
      return { partition, generation: partition.generation }
    })
    let found: Map<string, OffsetAndMetadata | null> | undefined
    let refusal: unknown
    try {
      found = await this.#options.committed!(partitions)
    } catch (error) {
      refusal = error
    }
    for (const { partition, generation } of asked) {
      if (partition.generation !== generation) continue
      partition.isResolving = false
      if (!this.#options.subscription.has(partition)) continue
      const committed = found?.get(partition.name)
      if (committed) partition.seek(committed.offset, committed.leaderEpoch)
      else if (found !== undefined) this.resetByPolicy(partition)
      else if (isRetriable(refusal)) this.#again(partition)
      else this.#error ??= refusal as Error
    }
    this.#options.changed()
  }

  async #reset(partitions: readonly AssignedPartition[]): Promise<void> {
    const { connections, metadata, isReadCommitted, requestTimeoutMs } = this.#options
    const asked = new Map<OffsetTarget, { partition: AssignedPartition; generation: number }>()
    for (const partition of partitions) {
      partition.isResolving = true
      const { topic, partition: number, generation } = partition
      asked.set({ topic, partition: number, timestamp: partition.resetTo! }, { partition, generation })
    }
    const options = { isReadCommitted, timeoutMs: requestTimeoutMs }
    const found = await lookUpOffsets(connections, metadata, [...asked.keys()], options)
    for (const [target, { partition, generation }] of asked) {
      if (partition.generation !== generation) continue
      partition.isResolving = false
      const answer = found.get(target)
      if (answer === undefined || answer instanceof KafkaError) this.#failed(partition, answer)
      else if (answer.offset < 0) partition.reset(-1)
      else {
        partition.seek(answer.offset, answer.leaderEpoch)
        if (target.timestamp !== EARLIEST) partition.skippedTo = answer.offset
        // It is the leader who said so.
        partition.validatedEpoch = metadata.partition(target.topic, target.partition)?.leaderEpoch ?? -1
      }
    }
    this.#options.changed()
  }

  #failed(partition: AssignedPartition, error: KafkaError | undefined): void {
    if (error !== undefined && !error.retriable) {
      this.#error ??= error
      return
    }
    if (error?.refreshesMetadata !== false) this.#options.metadata.requestUpdate()
    this.#again(partition)
  }

  #again(partition: AssignedPartition): void {
    const { runtime, retryBackoffMs, changed } = this.#options
    partition.notBefore = runtime.now() + retryBackoffMs
    runtime.after(retryBackoffMs, changed)
  }

  async #validate(partitions: readonly AssignedPartition[]): Promise<void> {
    const { metadata } = this.#options
    const byLeader = new Map<number, AssignedPartition[]>()
    for (const partition of partitions) {
      const leader = metadata.leaderOf(partition.topic, partition.partition)
      if (leader === undefined) {
        metadata.requestUpdate()
        continue
      }
      const here = byLeader.get(leader.id)
      if (here === undefined) byLeader.set(leader.id, [partition])
      else here.push(partition)
    }
    await Promise.all([...byLeader].map(([nodeId, here]) => this.#validateAt(nodeId, here)))
  }

  async #validateAt(nodeId: number, partitions: readonly AssignedPartition[]): Promise<void> {
    const { connections, metadata, changed } = this.#options
    const asked = partitions.map(partition => {
      partition.isResolving = true
      const currentLeaderEpoch = metadata.partition(partition.topic, partition.partition)?.leaderEpoch ?? -1
      const { topic, generation } = partition
      return { topic, partition, generation, currentLeaderEpoch, leaderEpoch: partition.offsetEpoch }
    })
    try {
      const node = connections.to(nodeId, metadata.nodes.get(nodeId)!, 'control')
      const response = await connections.request(node, offsetForLeaderEpoch, () => ({
        replicaId: -1,
        topics: byTopic(asked).map(([topic, items]) => ({
          topic,
          partitions: items.map(({ partition, currentLeaderEpoch, leaderEpoch }) => ({
            partition: partition.partition,
            currentLeaderEpoch,
            leaderEpoch,
          })),
        })),
      }))
      const answers = response.topics.flatMap(({ topic, partitions }) => partitions.map(said => ({ topic, ...said })))
      for (const { partition, generation, currentLeaderEpoch } of asked) {
        if (partition.generation !== generation) continue
        partition.isResolving = false
        const answer = answers.find(said => said.topic === partition.topic && said.partition === partition.partition)
        if (answer === undefined || answer.errorCode !== errorCodes.NONE) {
          this.#failed(partition, answer && KafkaError.of(answer.errorCode))
        } else {
          this.#compare(partition, answer, currentLeaderEpoch)
        }
      }
    } catch (error) {
      for (const { partition, generation } of asked) {
        if (partition.generation !== generation) continue
        partition.isResolving = false
        this.#failed(partition, error instanceof KafkaError ? error : new KafkaError('NETWORK_EXCEPTION'))
      }
    }
    changed()
  }

  /** Does the leader still have all that was read? */
  #compare(partition: AssignedPartition, said: { leaderEpoch: number; endOffset: number }, currentEpoch: number): void {
    const position = partition.position!
    if (said.endOffset < 0 || said.leaderEpoch < 0) {
      this.resetByPolicy(partition, truncated(partition, undefined))
    } else if (said.endOffset < position) {
      const { resetPolicy } = this.#options
      if (resetPolicy === 'none') {
        this.#error ??= truncated(partition, said.endOffset)
        return
      }
      partition.seek(said.endOffset, said.leaderEpoch)
      partition.validatedEpoch = currentEpoch
    } else {
      partition.validatedEpoch = currentEpoch
    }
  }
}

function noOffset({ name }: AssignedPartition): NoOffsetForPartitionError {
  const text = `Undefined offset with no reset policy for partition ${name}`
  return new NoOffsetForPartitionError(`${text}: seek, or set auto.offset.reset to earliest or latest`)
}

function truncated({ name, position }: AssignedPartition, end: number | undefined): LogTruncationError {
  const where =
    end === undefined ? 'where to, the leader cannot say' : `it agrees with what was read up to offset ${end}`
  return new LogTruncationError(`the log of ${name} was cut below the position ${position}: ${where}. Seek to go on`)
}

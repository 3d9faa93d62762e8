import { hasPolicy } from '../log/log-config.ts'
import { type ErrorName, KafkaError } from '../wire/errors.ts'
import { type CommitWait, CommitWaits } from './commit-waits.ts'
import type { Partition } from './partition.ts'

/** Deleting from the front of a partition, as its leader does it on request: DeleteRecords (S-30, S-31). */
export class RecordDeletions {
  readonly #partition: Partition
  readonly #isLive: (brokerId: number) => boolean
  readonly #waits = new CommitWaits()

  /** `isLive`: registered, and not fenced. */
  constructor(partition: Partition, isLive: (brokerId: number) => boolean) {
    this.#partition = partition
    this.#isLive = isLive
  }

  /**
   * The log begins at `offset` from now on, −1 being the high watermark. Answers that offset: all is done when the low
   * watermark is there.
   *
   * @throws {KafkaError} NOT_LEADER_OR_FOLLOWER, POLICY_VIOLATION, OFFSET_OUT_OF_RANGE
   */
  deleteBefore(offset: number): number {
    const { log, name } = this.#partition
    this.#partition.requireLeader()
    const { config, highWatermark } = log
    if (hasPolicy(config, 'compact') && !hasPolicy(config, 'delete')) {
      throw new KafkaError('POLICY_VIOLATION', `${name} is compacted, and never deletes by offset`)
    }
    log.deleteRecordsBefore(offset)
    return offset === -1 ? highWatermark : offset
  }

  /** The lowest log start over the replicas that live, in sync or not; −1 while one of them has not told it. */
  get lowWatermark(): number {
    const { log, remotes } = this.#partition
    let lowest = log.startOffset
    for (const { brokerId, startOffset } of remotes.values()) {
      if (startOffset < lowest && this.#isLive(brokerId)) lowest = startOffset
    }
    return lowest
  }

  /** Told when the low watermark reaches the wait's offset, or when leadership is lost. */
  add(wait: CommitWait): void {
    this.#waits.add(wait)
  }

  remove(wait: CommitWait): void {
    this.#waits.remove(wait)
  }

  /** A follower told where its log begins, or who lives has changed. */
  check(): void {
    if (this.#waits.size > 0) this.#waits.reached(this.lowWatermark, undefined)
  }

  fail(error: ErrorName): void {
    this.#waits.fail(error)
  }
}

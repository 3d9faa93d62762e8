import { partitionText, type TopicPartition } from '../topic-partition.ts'
import type { FetchedPartition } from './fetched-partition.ts'

/** A partition that a consumer reads, and where it stands (Kafka's SubscriptionState.TopicPartitionState). */
export class AssignedPartition implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** `orders-0` */
  readonly name: string
  /** The next offset to hand out; undefined until it is known. */
  position: number | undefined
  /** Leader epoch of the record before the position; −1 if it is not known. What tells a truncated log (KIP-320). */
  offsetEpoch = -1
  /** The leader epoch against which the position was found good; −1: none. */
  validatedEpoch = -1
  /** Where a reset took it (`auto.offset.reset`, `seekToEnd`), if that was beyond the first record; undefined otherwise. */
  skippedTo: number | undefined
  /** A timestamp (or −1, −2) to look the position up by; undefined: no reset is due. */
  resetTo: number | undefined
  isPaused = false
  /** It is being given back: nothing more of it is handed out (KIP-429's pending revocation). */
  isRevoking = false
  /** A look-up of the position, or its validation, is on its way. */
  isResolving = false
  /** A fetch that is on its way carries it. */
  isFetching = false
  /** Counts changes from outside, so that an answer to an older question is known as such. */
  generation = 0
  /** A follower that the leader recommends, and until when. */
  preferred: { readonly nodeId: number; readonly until: number } | undefined
  /** After an error: when it may be asked again. */
  notBefore = 0
  fetched: FetchedPartition | undefined
  highWatermark: number | undefined
  lastStableOffset: number | undefined
  logStartOffset: number | undefined

  constructor({ topic, partition }: TopicPartition) {
    this.topic = topic
    this.partition = partition
    this.name = partitionText({ topic, partition })
  }

  seek(offset: number, offsetEpoch = -1): void {
    this.skippedTo = undefined
    this.position = offset
    this.offsetEpoch = offsetEpoch
    this.resetTo = undefined
    this.#moved()
  }

  /** The position is to be looked up by this timestamp. */
  reset(timestamp: number): void {
    this.position = undefined
    this.offsetEpoch = -1
    this.resetTo = timestamp
    this.#moved()
  }

  /** Its records may be asked for and handed out. */
  get isReadable(): boolean {
    return !this.isPaused && !this.isRevoking
  }

  #moved(): void {
    this.generation++
    this.isResolving = false
    this.fetched?.close()
    this.fetched = undefined
    this.preferred = undefined
    this.validatedEpoch = -1
    this.notBefore = 0
  }
}

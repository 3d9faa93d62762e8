import type { fetch } from '../../apis/fetch.ts'
import type { RequestInput } from '../../wire/api.ts'
import { byTopic } from '../list-offsets.ts'

/** One partition as a fetch asks for it. */
export interface WantedPartition {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: number
  readonly partitionMaxBytes: number
}

type SessionFields = Pick<RequestInput<typeof fetch>, 'sessionId' | 'sessionEpoch' | 'topics' | 'forgottenTopicsData'>

const LAST_EPOCH = 0x7fffffff
/** Epochs that ask for a new session, and for none any more (F-20, F-22). */
const INITIAL = 0
const FINAL = -1

/**
 * The client's side of an incremental fetch session with one broker (KIP-227; Kafka's FetchSessionHandler): what the broker
 * knows already is not said again.
 */
export class FetchSession {
  #id = 0
  #epoch = INITIAL
  #usesIds = true
  /** What the broker knows, by partition name. */
  #known = new Map<string, WantedPartition>()
  #topicNames = new Map<string, string>()

  get id(): number {
    return this.#id
  }

  /** The fields of the next request, in which these partitions are wanted and no others. */
  next(wanted: readonly WantedPartition[], usesIds: boolean): SessionFields {
    if (usesIds !== this.#usesIds) this.#epoch = INITIAL
    this.#usesIds = usesIds
    const isFull = this.#epoch === INITIAL
    const before = isFull ? new Map<string, WantedPartition>() : this.#known
    const known = new Map<string, WantedPartition>()
    const changed: WantedPartition[] = []
    const forgotten: WantedPartition[] = []
    for (const partition of wanted) {
      const name = `${partition.topic}-${partition.partition}`
      const old = before.get(name)
      known.set(name, partition)
      if (old === undefined || !isSame(old, partition)) changed.push(partition)
      if (old !== undefined && old.topicId !== partition.topicId) forgotten.push(old)
    }
    for (const [name, old] of before) if (!known.has(name)) forgotten.push(old)
    this.#known = known
    for (const { topic, topicId } of wanted) this.#topicNames.set(topicId, topic)
    return {
      sessionId: this.#id,
      sessionEpoch: this.#epoch,
      topics: byTopic(changed).map(([topic, partitions]) => ({
        topic,
        topicId: partitions[0]!.topicId,
        partitions: partitions.map(({ partition, currentLeaderEpoch, fetchOffset, partitionMaxBytes }) => ({
          partition,
          currentLeaderEpoch,
          fetchOffset,
          partitionMaxBytes,
        })),
      })),
      forgottenTopicsData: byTopic(forgotten).map(([topic, partitions]) => ({
        topic,
        topicId: partitions[0]!.topicId,
        partitions: partitions.map(({ partition }) => partition),
      })),
    }
  }

  /** The name of a topic in an answer. */
  nameOf(topic: string, topicId: string): string | undefined {
    return topic === '' ? this.#topicNames.get(topicId) : topic
  }

  answered(sessionId: number): void {
    if (sessionId === 0) {
      this.#id = 0
      this.#epoch = INITIAL
      return
    }
    this.#id = sessionId
    this.#epoch = this.#epoch === LAST_EPOCH ? 1 : this.#epoch + 1
  }

  /** The broker does not agree (F-24), or the connection was lost: the next request begins a new session. */
  broken(isUnknownId: boolean): void {
    if (isUnknownId) this.#id = 0
    this.#epoch = INITIAL
  }

  /** The fields of a request that ends the session; undefined if there is none. */
  last(): SessionFields | undefined {
    if (this.#id === 0) return undefined
    const fields = { sessionId: this.#id, sessionEpoch: FINAL, topics: [], forgottenTopicsData: [] }
    this.#id = 0
    this.#epoch = INITIAL
    return fields
  }
}

function isSame(a: WantedPartition, b: WantedPartition): boolean {
  return (
    a.topicId === b.topicId &&
    a.fetchOffset === b.fetchOffset &&
    a.currentLeaderEpoch === b.currentLeaderEpoch &&
    a.partitionMaxBytes === b.partitionMaxBytes
  )
}

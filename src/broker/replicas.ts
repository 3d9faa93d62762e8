import type { Eventually, LogStores, ReplicaName } from '../log/log-store.ts'
import { ReplicaLog } from '../log/replica-log.ts'
import type { BrokerConfigs } from '../metadata/broker-configs.ts'
import type { LogConfig } from '../metadata/config-values.ts'
import type { PartitionImage, TopicImage } from '../metadata/image.ts'
import type { ImageChanges } from '../metadata/image-changes.ts'
import { KafkaError } from '../wire/errors.ts'
import { Partition, type PartitionHost } from './partition.ts'

export interface ReplicasOptions {
  readonly host: PartitionHost
  readonly stores: LogStores
  readonly config: () => BrokerConfigs
  readonly configOf: (topic: string) => LogConfig
  /** As the metadata log has the partition now. */
  readonly stateOf: (topicId: string, index: number) => PartitionImage | undefined
  /** What is to be followed, or no longer. */
  readonly follow: (partition: Partition) => void
  readonly forget: (partition: Partition) => void
}

/** How long a replica whose log could not be opened stays offline before it is tried again. */
const OFFLINE_RETRY_MS = 1_000

/** The replicas that live on one broker: made, told of their role, and deleted as the metadata log says. */
export class Replicas {
  readonly #options: ReplicasOptions
  /** By topic id; the index is the partition. */
  readonly #topics = new Map<string, (Partition | undefined)[]>()
  /** Those whose logs a store is opening, as they are to be by now; by `topicId/partition`. */
  readonly #opening = new Map<string, { state: PartitionImage }>()
  /** Why a log could not be opened when that was tried last. */
  readonly #failures = new Map<string, KafkaError>()

  constructor(options: ReplicasOptions) {
    this.#options = options
  }

  get(topicId: string, index: number): Partition | undefined {
    return this.#topics.get(topicId)?.[index]
  }

  /** Why a replica of this broker is offline; undefined where it is not. */
  failureOf(topicId: string, index: number): KafkaError | undefined {
    return this.#failures.get(keyOf(topicId, index))
  }

  *[Symbol.iterator](): IterableIterator<Partition> {
    for (const partitions of this.#topics.values()) {
      for (const partition of partitions) if (partition !== undefined) yield partition
    }
  }

  apply(changes: ImageChanges): void {
    for (const topic of changes.deletedTopics) this.#delete(topic)
    for (const { partition } of changes.partitions.values()) {
      if (partition.replicas.includes(this.#options.host.id)) this.#update(partition)
      else this.#drop(partition.topicId, partition.partition)
    }
  }

  /** Every log, cleanly. @throws what the first one that could not be closed threw, after all others were */
  async close(): Promise<void> {
    const { life } = this.#options.host
    const failures: unknown[] = []
    for (const partition of this) {
      try {
        const closed = partition.log.close()
        if (closed instanceof Promise) await life.guard(closed)
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  /** Configurations changed: of one topic, or of the broker. */
  configure(topic?: string): void {
    const broker = this.#options.config()
    const producers = {
      expirationMs: broker['producer.id.expiration.ms'],
      verifyTransactions: broker['transaction.partition.verification.enable'],
    }
    for (const partition of this) {
      if (topic !== undefined && partition.topic !== topic) continue
      const config = this.#options.configOf(partition.topic)
      partition.log.config = config
      partition.minInSyncReplicas = config['min.insync.replicas']
      if (topic === undefined) partition.log.producerStates.configure(producers)
    }
  }

  #update(state: PartitionImage): void {
    const there = this.get(state.topicId, state.partition)
    if (there !== undefined) {
      this.#tell(there, state)
      return
    }
    const { host, configOf } = this.#options
    const key = keyOf(state.topicId, state.partition)
    const known = this.#opening.get(key)
    if (known !== undefined) {
      known.state = state
      return
    }
    const opening = { state }
    this.#opening.set(key, opening)
    const isWanted = () => this.#opening.get(key) === opening && this.#opening.delete(key)
    const made = (log: ReplicaLog) => {
      const { state } = opening
      this.#failures.delete(key)
      if (!isWanted()) {
        log.abandon()
        this.#remove(state)
        return
      }
      const partition = new Partition(host, state, log, configOf(state.topic)['min.insync.replicas'])
      const partitions = this.#topics.get(state.topicId) ?? []
      partitions[state.partition] = partition
      this.#topics.set(state.topicId, partitions)
      this.#tell(partition, state)
    }
    const failed = (error: unknown) => {
      if (isWanted()) this.#offline(opening.state, error)
    }
    try {
      const opened = this.#open(state)
      if (opened instanceof Promise) host.life.guard(opened).then(made, failed)
      else made(opened)
    } catch (error) {
      failed(error)
    }
  }

  /**
   * Its log cannot be opened: the replica is offline, and is tried again, where Kafka gives up the whole directory. Any
   * error but the store's is a bug.
   */
  #offline({ topicId, topic, partition }: PartitionImage, error: unknown): void {
    if (!(error instanceof KafkaError)) throw error
    const { host } = this.#options
    this.#failures.set(keyOf(topicId, partition), error)
    host.life.trace.add('node', host.name, { what: `${topic}-${partition} is offline`, error: error.message })
    const again = () => {
      const state = this.#options.stateOf(topicId, partition)
      if (state?.replicas.includes(host.id)) this.#update(state)
    }
    host.life.after(OFFLINE_RETRY_MS, again, { housekeeping: true })
  }

  #open(state: PartitionImage): Eventually<ReplicaLog> {
    const { host, stores, config, configOf } = this.#options
    return ReplicaLog.open({
      store: stores.store(this.#nameOf(state)),
      name: `${state.topic}-${state.partition}`,
      config: configOf(state.topic),
      now: host.life.now(),
      producerIdExpirationMs: config()['producer.id.expiration.ms'],
      verifyTransactions: config()['transaction.partition.verification.enable'],
      choose: (name, n) => host.life.choose(name, n),
      mutants: host.mutants,
    })
  }

  #tell(partition: Partition, state: PartitionImage): void {
    const { follow, forget } = this.#options
    partition.update(state)
    if (partition.isLeader) forget(partition)
    else follow(partition)
  }

  #delete({ topicId, partitions }: TopicImage): void {
    for (const state of partitions) {
      if (this.#drop(topicId, state.partition)) continue
      // Offline: its log is there all the same.
      if (state.replicas.includes(this.#options.host.id)) this.#remove(state)
    }
    this.#topics.delete(topicId)
  }

  /** False where it was not here. */
  #drop(topicId: string, index: number): boolean {
    if (this.#opening.delete(keyOf(topicId, index))) return true
    const partitions = this.#topics.get(topicId)
    const partition = partitions?.[index]
    if (partitions === undefined || partition === undefined) return false
    partitions[index] = undefined
    this.#options.forget(partition)
    partition.log.abandon()
    partition.remove()
    this.#remove(partition.state)
    return true
  }

  /** A store that fails has a log too many; it is met again, under another topic id, if the topic is made anew. */
  #remove(state: PartitionImage): void {
    const { host, stores } = this.#options
    const failed = (error: unknown) => {
      if (!(error instanceof KafkaError)) throw error
      const what = `${state.topic}-${state.partition} could not be removed`
      host.life.trace.add('node', host.name, { what, error: error.message })
    }
    try {
      const removed = stores.remove(this.#nameOf(state))
      if (removed instanceof Promise) host.life.guard(removed).catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  #nameOf(state: PartitionImage): ReplicaName {
    const { topic, topicId, partition, replicas } = state
    const broker = this.#options.host.id
    return { broker, topic, topicId, partition, isFirst: replicas[0] === broker }
  }
}

function keyOf(topicId: string, index: number): string {
  return `${topicId}/${index}`
}

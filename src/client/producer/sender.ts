import { produce } from '../../apis/produce.ts'
import type { ProducerConfigs } from '../../metadata/producer-configs.ts'
import type { Timer } from '../../runtime/runtime.ts'
import type { BatchOptions } from '../../wire/batch-builder.ts'
import type { KafkaError } from '../../wire/errors.ts'
import { Records } from '../../wire/records.ts'
import { zeroUuid } from '../../wire/uuid.ts'
import { Backoff } from '../backoff.ts'
import type { Connections } from '../connections.ts'
import type { ClientEnvironment } from '../environment.ts'
import type { ClientMetadata } from '../metadata.ts'
import type { NodeConnection } from '../node-connection.ts'
import type { Node } from '../topic-partition.ts'
import { BatchExpiry } from './batch-expiry.ts'
import type { LeaderAvailability } from './leader-availability.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { ProduceCompletion } from './produce-completion.ts'
import type { ProducerBatch } from './producer-batch.ts'
import { ProducerIdSource } from './producer-id-source.ts'
import type { ProducerMetrics } from './producer-metrics.ts'
import type { ProducerSequences } from './producer-sequences.ts'
import type { RecordAccumulator } from './record-accumulator.ts'
import type { TopicQueues } from './topic-queues.ts'
import type { TransactionManager } from './transactions/transaction-manager.ts'

/** The last version of Produce in which topics go by name. */
const LAST_BY_NAME = 12
/** The last version in which a producer adds partitions to its transaction by itself (C-60). */
const LAST_OF_V1 = 11

export interface SenderOptions {
  readonly environment: ClientEnvironment
  readonly configs: ProducerConfigs
  readonly connections: Connections
  readonly metadata: ClientMetadata
  readonly accumulator: RecordAccumulator
  readonly metrics: ProducerMetrics
  readonly availability: LeaderAvailability
  readonly topicOf: (name: string) => TopicQueues
  /** Undefined without idempotence. */
  readonly sequences: ProducerSequences | undefined
  /** Undefined without a transactional id. */
  readonly transactions: TransactionManager | undefined
}

/** The waiting queues that one broker leads. */
interface NodeWork {
  readonly node: Node
  readonly queues: PartitionQueue[]
  isReady: boolean
}

const active = { housekeeping: false } as const

/**
 * Takes what is sendable to the leaders (Kafka's Sender): one request for a broker at a time is filled, with at most one
 * batch of each partition (C-33). Runs when something has changed, and when something becomes due; never polls.
 *
 * The producer id is asked for with the first record, not already at construction (C-61): a producer that nobody uses
 * sends nothing.
 */
export class Sender {
  readonly sequences: ProducerSequences | undefined
  readonly completion: ProduceCompletion
  readonly #options: SenderOptions
  readonly #idSource: ProducerIdSource
  readonly #expiry: BatchExpiry
  readonly #batchOptions: BatchOptions
  readonly #maxInFlight: number
  readonly #acks: number
  readonly #rotation = new Map<number, number>()
  #isAwake = false
  #timer: Timer | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #fatal: KafkaError | undefined
  #closed = false

  constructor(options: SenderOptions) {
    this.#options = options
    const { configs, environment, accumulator, metadata, metrics, topicOf } = options
    const { runtime } = environment
    this.#acks = Number(configs.acks)
    this.#maxInFlight = configs['max.in.flight.requests.per.connection']
    const backoff = new Backoff(runtime, 'producer.retry', configs['retry.backoff.ms'], configs['retry.backoff.max.ms'])
    this.sequences = options.sequences
    const compression = configs['compression.type']
    const level = compression === 'none' || compression === 'snappy' ? -1 : configs[`compression.${compression}.level`]
    this.#batchOptions = {
      compression,
      transactional: options.transactions !== undefined,
      ...(level === -1 ? {} : { compressionLevel: level }),
    }
    this.completion = new ProduceCompletion({
      runtime,
      accumulator,
      metadata,
      sequences: this.sequences,
      backoff,
      retries: configs.retries,
      deliveryTimeoutMs: configs['delivery.timeout.ms'],
      batchBytes: configs['batch.size'],
      metrics,
      topicOf,
      transactions: options.transactions,
      fatal: error => this.failForEver(error),
      mutants: environment.mutants,
    })
    this.#idSource = new ProducerIdSource({
      runtime,
      connections: options.connections,
      metadata,
      retryBackoffMs: configs['retry.backoff.ms'],
      isNeeded: () => accumulator.unfinished.size > 0,
      given: (producerId, producerEpoch) => {
        this.sequences?.given(producerId, producerEpoch)
        this.wake()
      },
      denied: error => this.abort(error),
      failed: error => this.failForEver(error),
      ended: () => this.#expiry.settle(),
      again: () => {
        if (!this.#closed) this.#pass()
      },
    })
    this.#expiry = new BatchExpiry({
      runtime,
      deliveryTimeoutMs: configs['delivery.timeout.ms'],
      unfinished: accumulator.unfinished,
      // While the producer id is asked for, nothing expires (C-40); it does as soon as that attempt is over.
      isHeld: () => this.#idSource.isAsking,
      expired: batch => this.completion.expire(batch),
      done: () => this.wake(),
    })
    options.connections.onChange(() => this.wake())
    metadata.onUpdate(() => this.wake())
  }

  /** What ended this producer's ability to send (C-54, C-56). */
  get fatal(): KafkaError | undefined {
    return this.#fatal
  }

  /** Something may be sendable. */
  wake(): void {
    if (this.#isAwake || this.#closed || this.#options.accumulator.unfinished.size === 0) return
    this.#isAwake = true
    this.#options.environment.runtime.after(
      0,
      () => {
        this.#isAwake = false
        if (!this.#closed) this.#pass()
      },
      active,
    )
  }

  /** A batch began: it may linger. */
  lingering(ms: number): void {
    const { accumulator } = this.#options
    const isUrgent = ms === 0 || accumulator.isUrgent
    if (isUrgent || (this.sequences !== undefined && !this.sequences.hasId)) this.wake()
    this.#wakeIn(ms)
    this.#expiry.arm()
  }

  /** Fails everything that is not settled. */
  abort(error: Error): void {
    for (const batch of [...this.#options.accumulator.unfinished]) this.completion.fail(batch, error, false)
  }

  /** Nothing is pending: no timer is left behind. */
  rest(): void {
    this.#timer?.cancel()
    this.#timerAt = Number.POSITIVE_INFINITY
    this.#expiry.cancel()
  }

  close(): void {
    this.#closed = true
    this.rest()
    this.#idSource.close()
  }

  #wakeIn(ms: number): void {
    const { runtime } = this.#options.environment
    const at = runtime.now() + ms
    if (at >= this.#timerAt || ms === Number.POSITIVE_INFINITY) return
    this.#timer?.cancel()
    this.#timerAt = at
    this.#timer = runtime.after(
      ms,
      () => {
        this.#timer = undefined
        this.#timerAt = Number.POSITIVE_INFINITY
        if (!this.#closed) this.#pass()
      },
      active,
    )
  }

  #pass(): void {
    const { environment, accumulator, metadata, topicOf } = this.#options
    this.sequences?.refresh()
    if (this.sequences?.hasId === false && this.#fatal === undefined && this.#options.transactions === undefined) {
      this.#idSource.ask()
    }
    if (metadata.isStale) metadata.requestUpdate()
    const now = environment.runtime.now()
    const work = new Map<number, NodeWork>()
    let next = Number.POSITIVE_INFINITY
    let isUnknown = false
    for (const queue of accumulator.waiting) {
      const view = topicOf(queue.topic).view?.partitions[queue.partition]
      const node = view === undefined ? undefined : metadata.nodes.get(view.leaderId)
      if (view === undefined || node === undefined) {
        isUnknown = true
        continue
      }
      let here = work.get(node.id)
      if (here === undefined) {
        here = { node, queues: [], isReady: false }
        work.set(node.id, here)
      }
      here.queues.push(queue)
      const ms = accumulator.sendableIn(queue, now, view.leaderEpoch)
      if (ms <= 0) here.isReady = true
      else if (ms < next) next = ms
    }
    if (isUnknown) metadata.requestUpdate()
    for (const here of work.values()) if (here.isReady) this.#serve(here)
    this.#wakeIn(next)
    this.#expiry.arm()
  }

  #serve(work: NodeWork): void {
    const { connections, environment, availability } = this.#options
    const node = connections.to(work.node.id, work.node, 'produce')
    availability.tried(node.nodeId, node.isReady && node.inFlight < this.#maxInFlight)
    if (!node.isReady) {
      node.connect()
      if (node.isBackingOff) this.#wakeIn(Math.max(1, node.retryAt - environment.runtime.now()))
      return
    }
    while (node.inFlight < this.#maxInFlight && node.isReady) {
      const batches = this.#drain(work)
      if (batches.length === 0) return
      this.#send(node, batches)
    }
  }

  /** One batch of each partition of the node, ready or not, if any is ready (C-33). */
  #drain(work: NodeWork): ProducerBatch[] {
    const { accumulator, configs, environment, topicOf } = this.#options
    const now = environment.runtime.now()
    const epochs = work.queues.map(
      ({ topic, partition }) => topicOf(topic).view?.partitions[partition]?.leaderEpoch ?? -1,
    )
    if (!work.queues.some((queue, index) => accumulator.sendableIn(queue, now, epochs[index]!) <= 0)) return []
    const drained: ProducerBatch[] = []
    const count = work.queues.length
    const start = (this.#rotation.get(work.node.id) ?? 0) % count
    this.#rotation.set(work.node.id, start + 1)
    let bytes = 0
    for (let i = 0; i < count; i++) {
      const index = (start + i) % count
      const queue = work.queues[index]!
      const head = queue.batches[0]
      if (head === undefined || queue.isMuted || accumulator.isBackingOff(head, now, epochs[index]!)) continue
      if (this.sequences !== undefined && !this.sequences.mayDrain(queue, head)) continue
      if (this.#options.transactions?.mayDrain(queue) === false) continue
      if (drained.length > 0 && bytes + head.estimatedSize > configs['max.request.size']) break
      bytes += head.estimatedSize
      accumulator.take(queue)
      this.sequences?.stamp(queue, head)
      head.leaderEpochAtAttempt = epochs[index]!
      if (this.#maxInFlight === 1) queue.isMuted = true
      drained.push(head)
    }
    return drained
  }

  #send(node: NodeConnection, batches: readonly ProducerBatch[]): void {
    const { configs, metrics, topicOf, environment, transactions } = this.#options
    const { runtime } = environment
    const names = new Map<string, string>()
    const topics = new Map<
      string,
      { name: string; topicId: string; partitionData: { index: number; records: Records }[] }
    >()
    let allHaveIds = true
    try {
      for (const batch of batches) {
        const { topic: name, partition: index } = batch.queue
        let topic = topics.get(name)
        if (topic === undefined) {
          const topicId = topicOf(name).view?.id ?? zeroUuid
          if (topicId === zeroUuid) allHaveIds = false
          topic = { name, topicId, partitionData: [] }
          topics.set(name, topic)
          names.set(topicId, name)
        }
        topic.partitionData.push({ index, records: Records.of([batch.build(this.#batchOptions)]) })
      }
      const version = node.versionOf(
        produce,
        transactions?.version === 1 ? LAST_OF_V1 : allHaveIds ? undefined : LAST_BY_NAME,
      )
      const timeoutMs = configs['request.timeout.ms']
      const body = {
        transactionalId: configs['transactional.id'],
        acks: this.#acks,
        timeoutMs,
        topicData: [...topics.values()],
      }
      metrics.sent(batches)
      for (const batch of batches) batch.isOnWire = true
      if (this.#acks === 0) {
        node.sendOnly(produce, version, body)
        for (const batch of batches) this.completion.unanswered(batch)
        return
      }
      const sent = { node, batches, names }
      const sentAt = runtime.now()
      node.send(produce, version, body, timeoutMs, {
        onResponse: response => {
          metrics.answered(runtime.now() - sentAt)
          this.completion.answered(sent, response)
          this.wake()
        },
        onLost: error => {
          this.completion.lost(sent, error)
          this.wake()
        },
      })
    } catch (error) {
      if (!(error instanceof Error)) throw error
      runtime.trace.add('client', environment.clientName, { what: `Produce failed: ${error.message}` })
      for (const batch of batches) {
        batch.isOnWire = false
        batch.queue.isMuted = false
        this.completion.fail(batch, error, true)
      }
    }
  }

  /** Fails what no request has carried yet. */
  abortUnsent(error: Error): void {
    for (const batch of [...this.#options.accumulator.unfinished]) {
      if (!batch.hasSequence) this.completion.fail(batch, error, false)
    }
  }

  failForEver(error: KafkaError): void {
    this.#fatal ??= error
    this.abort(error)
  }
}

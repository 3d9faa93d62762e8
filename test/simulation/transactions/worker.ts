import type { Cluster } from '../../../src/index.ts'
import { isolate } from '../../../src/index.ts'
import { CommitFailedError, IllegalStateError, KafkaError, WakeupError } from '../../../src/wire/errors.ts'
import { INPUT, OUTPUT, type PipelineOptions } from './pipeline-universe.ts'

type Producer = ReturnType<Cluster['producer']>
type Consumer = ReturnType<Cluster['consumer']>
type Polled = Awaited<ReturnType<Consumer['poll']>>

export const GROUP = 'pipeline'

/**
 * Reads, writes what it read to another topic, and commits both together (consume-transform-produce, KIP-447). After an
 * abortable error it aborts and reads again, after a fatal one it begins anew.
 */
export class Worker {
  readonly transactionalId: string
  /** Its next piece of work takes so long. */
  busyMs = 0
  readonly #cluster: Cluster
  readonly #options: PipelineOptions
  readonly #isStopped: () => boolean
  #producer: Producer | undefined
  #consumer: Consumer | undefined
  #isOver = true
  #ending: 'dies' | 'leaves' | undefined
  #awayUntil = 0

  constructor(cluster: Cluster, index: number, options: PipelineOptions, isStopped: () => boolean) {
    this.transactionalId = `worker-${index}`
    this.#cluster = cluster
    this.#options = options
    this.#isStopped = isStopped
  }

  /** Its clients, while it lives. */
  get clients(): readonly { readonly name: string }[] {
    return this.#isOver ? [] : [this.#producer!, this.#consumer!]
  }

  get producer(): Producer | undefined {
    return this.#isOver ? undefined : this.#producer
  }

  async run(): Promise<void> {
    while (!this.#isStopped()) {
      await this.#live()
      const wait = this.#awayUntil - this.#cluster.clock.now()
      await this.#cluster.clock.advance(Math.max(wait, 500))
    }
  }

  /** It comes back after so long. */
  end(how: 'dies' | 'leaves', ms: number): void {
    if (this.#isOver || this.#ending !== undefined) return
    this.#ending = how
    this.#awayUntil = this.#cluster.clock.now() + ms
    if (how === 'leaves') return
    for (const client of [this.#producer!, this.#consumer!]) {
      this.#cluster.network.rule(isolate(client), { optional: true })
    }
    this.#producer!.close({ timeoutMs: 0 }).catch(() => {})
    this.#consumer!.wakeup()
  }

  async #live(): Promise<void> {
    const { protocol, requestTimeoutMs = this.#options.version === 2 ? 5_000 : 60_000 } = this.#options
    const producer = this.#cluster.producer({
      'transactional.id': this.transactionalId,
      'transaction.timeout.ms': 10_000,
      'request.timeout.ms': requestTimeoutMs,
      'delivery.timeout.ms': requestTimeoutMs + 5_000,
      'max.block.ms': 20_000,
    })
    const consumer = this.#cluster.consumer({
      'group.id': GROUP,
      'enable.auto.commit': false,
      'auto.offset.reset': 'earliest',
      'isolation.level': 'read_committed',
      'request.timeout.ms': 5_000,
      'default.api.timeout.ms': 10_000,
      'max.poll.interval.ms': 10_000,
      'max.poll.records': 4,
      'group.protocol': protocol,
      ...(protocol === 'classic' ? { 'session.timeout.ms': 6_000, 'heartbeat.interval.ms': 1_000 } : {}),
    })
    this.#producer = producer
    this.#consumer = consumer
    this.#ending = undefined
    this.#isOver = false
    consumer.subscribe([INPUT])
    try {
      await this.#untilAnswered(() => producer.initTransactions())
      while (!this.#isStopped() && this.#ending === undefined) await this.#step(producer, consumer)
    } catch (error) {
      if (!isTold(error)) throw error
    } finally {
      this.#isOver = true
      const timeoutMs = this.#ending === 'dies' ? 0 : 5_000
      await producer.close({ timeoutMs }).catch(() => {})
      await consumer.close({ timeoutMs })
    }
  }

  /** @throws what the producer cannot go on from */
  async #step(producer: Producer, consumer: Consumer): Promise<void> {
    let records: Polled
    try {
      records = await consumer.poll({ timeoutMs: 500 })
    } catch (error) {
      if (!isTold(error)) throw error
      return
    }
    if (records.length === 0 || this.#ending !== undefined) return
    await producer.beginTransaction()
    try {
      await this.#work(producer, consumer, records)
      await this.#untilAnswered(() => producer.commitTransaction())
    } catch (error) {
      if (!isTold(error) || this.#ending === 'dies') throw error
      // What can be aborted is, what cannot says so.
      await this.#untilAnswered(() => producer.abortTransaction())
      rewind(consumer, records)
    }
  }

  async #work(producer: Producer, consumer: Consumer, records: Polled): Promise<void> {
    const next = new Map<number, number>()
    if (this.#options.commitsOutside) await consumer.commit()
    for (const { partition, offset, value } of records) {
      producer.send({ topic: OUTPUT, partition, value: String(value) }).catch(() => {})
      next.set(partition, offset + 1)
      if (this.busyMs === 0) continue
      const busyMs = this.busyMs
      this.busyMs = 0
      await this.#cluster.clock.advance(busyMs)
    }
    if (this.#options.commitsOutside) return
    const offsets = [...next].map(([partition, offset]) => ({ topic: INPUT, partition, offset }))
    await producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata())
  }

  /** After a timeout nobody knows, and the same call is to be made again (C-58). */
  async #untilAnswered(call: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await call()
        return
      } catch (error) {
        const isLate = error instanceof KafkaError && error.errorName === 'REQUEST_TIMED_OUT'
        if (!isLate || this.#ending === 'dies') throw error
      }
    }
  }
}

/** To what was read in vain, of partitions that it still has. */
function rewind(consumer: Consumer, records: Polled): void {
  const owned = new Set(consumer.assignment().map(({ partition }) => partition))
  const first = new Map<number, number>()
  for (const { partition, offset } of records) if (!first.has(partition)) first.set(partition, offset)
  for (const [partition, offset] of first) if (owned.has(partition)) consumer.seek({ topic: INPUT, partition }, offset)
}

/** What clients may be told; anything else is a mistake of ours. */
function isTold(error: unknown): boolean {
  const told = [KafkaError, CommitFailedError, WakeupError, IllegalStateError]
  return told.some(known => error instanceof known) || (error as Error).name === 'ClientError'
}

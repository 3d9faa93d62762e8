import type { Cluster } from '../../../src/index.ts'
import { isolate } from '../../../src/index.ts'
import { IllegalStateError, KafkaError } from '../../../src/wire/errors.ts'
import { type PlannedTransaction, type PlannedWriter, TOPIC } from './transaction-schedule.ts'

type Producer = ReturnType<Cluster['producer']>

/** A transaction, and what its application was told of its end. */
export interface ToldTransaction {
  readonly name: string
  /** Handed to `send`. */
  readonly values: string[]
  /** For which it commits an offset. */
  group: string | undefined
  /** `open`: its process ended before it asked for an end. `unknown`: it asked to commit, and was told nothing, or of an error. */
  outcome: 'open' | 'committed' | 'aborted' | 'unknown'
}

/** From here on nobody else writes under this id, until the next one is fenced off. */
export interface Takeover {
  /** Of the transactions that follow. */
  readonly prefix: string
  readonly transactionalId: string
  readonly at: number
}

export interface WriterOptions {
  /** A request is given up after so long. With transaction.version 1 a late one may do harm (KAFKA-17754). */
  readonly requestTimeoutMs: number
}

/** A service that works off its transactions, each once: after an abortable error it aborts, after a fatal one it begins anew. */
export class Writer {
  readonly transactionalId: string
  readonly #cluster: Cluster
  readonly #index: number
  readonly #plan: PlannedWriter
  readonly #options: WriterOptions
  readonly #told: ToldTransaction[]
  readonly #takeovers: Takeover[]
  #producer: Producer | undefined
  #lives = 0
  /** Of its transactions. */
  #next = 0
  #deadUntil = 0
  #isDead = false

  constructor(
    cluster: Cluster,
    index: number,
    plan: PlannedWriter,
    options: WriterOptions,
    told: ToldTransaction[],
    takeovers: Takeover[],
  ) {
    this.transactionalId = `id-${plan.id}`
    this.#cluster = cluster
    this.#index = index
    this.#plan = plan
    this.#options = options
    this.#told = told
    this.#takeovers = takeovers
  }

  /** Of its present process. */
  get producer(): Producer | undefined {
    return this.#producer
  }

  async run(): Promise<void> {
    await this.#cluster.clock.advance(this.#plan.startMs)
    while (this.#next < this.#plan.transactions.length) {
      await this.#live()
      const wait = this.#deadUntil - this.#cluster.clock.now()
      await this.#cluster.clock.advance(Math.max(wait, 500))
      this.#isDead = false
    }
  }

  /** Dead for so long, from its next breath on: its connections are cut, for good. */
  die(ms: number): void {
    this.#deadUntil = this.#cluster.clock.now() + ms
    this.#isDead = true
    if (this.#producer === undefined) return
    this.#cluster.network.rule(isolate(this.#producer), { optional: true })
    this.#producer.close({ timeoutMs: 0 }).catch(() => {})
  }

  async #live(): Promise<void> {
    const prefix = `w${this.#index}.${this.#lives++}`
    const producer = this.#cluster.producer({
      'transactional.id': this.transactionalId,
      'transaction.timeout.ms': 10_000,
      'request.timeout.ms': this.#options.requestTimeoutMs,
      'delivery.timeout.ms': this.#options.requestTimeoutMs + 5_000,
      'max.block.ms': 20_000,
    })
    this.#producer = producer
    try {
      await this.#untilAnswered(() => producer.initTransactions())
      if (this.#isDead) return
      const { transactionalId } = this
      this.#takeovers.push({ prefix: `${prefix}-`, transactionalId, at: this.#cluster.clock.now() })
      while (this.#next < this.#plan.transactions.length && !this.#isDead) {
        const index = this.#next++
        await this.#transact(producer, `${prefix}-${index}`, this.#plan.transactions[index]!)
      }
    } catch (error) {
      if (!isTold(error)) throw error
    } finally {
      if (!this.#isDead) await producer.close({ timeoutMs: 5_000 }).catch(() => {})
    }
  }

  /** @throws what the producer cannot go on from */
  async #transact(producer: Producer, name: string, plan: PlannedTransaction): Promise<void> {
    await this.#cluster.clock.advance(plan.afterMs)
    const told: ToldTransaction = { name, values: [], group: undefined, outcome: 'open' }
    this.#told.push(told)
    await producer.beginTransaction()
    try {
      await this.#work(producer, told, plan)
      if (this.#isDead) return
      if (plan.end === 'commit') {
        told.outcome = 'unknown'
        await this.#untilAnswered(() => producer.commitTransaction())
        told.outcome = 'committed'
        return
      }
    } catch (error) {
      if (!isTold(error) || this.#isDead) throw error
    }
    // What can be aborted is, what cannot says so.
    await this.#untilAnswered(() => producer.abortTransaction())
    told.outcome = 'aborted'
  }

  async #work(producer: Producer, told: ToldTransaction, plan: PlannedTransaction): Promise<void> {
    const sent: Promise<unknown>[] = []
    for (const [n, partition] of plan.partitions.entries()) {
      const value = `${told.name}/${n}`
      told.values.push(value)
      const sending = producer.send({ topic: TOPIC, partition, value })
      sending.catch(() => {})
      sent.push(sending)
      if (n === 0 && plan.thinkMs > 0) await this.#cluster.clock.advance(plan.thinkMs)
      if (this.#isDead) return
    }
    if (plan.offsets) {
      told.group = `group of ${told.name}`
      const offsets = [{ topic: TOPIC, partition: 0, offset: 7 }]
      await producer.sendOffsetsToTransaction(offsets, {
        groupId: told.group,
        generationId: -1,
        memberId: '',
        groupInstanceId: null,
      })
    }
  }

  /** After a timeout nobody knows, and the same call is to be made again (C-58). */
  async #untilAnswered(call: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await call()
        return
      } catch (error) {
        if (this.#isDead || !(error instanceof KafkaError) || error.errorName !== 'REQUEST_TIMED_OUT') throw error
      }
    }
  }
}

/** What a producer may be told; anything else is a mistake of ours. */
function isTold(error: unknown): boolean {
  return error instanceof KafkaError || error instanceof IllegalStateError || (error as Error).name === 'ClientError'
}

import type { Cluster } from '../../../src/index.ts'
import { isolate } from '../../../src/index.ts'
import { CommitFailedError, KafkaError, RetriableCommitFailedError, WakeupError } from '../../../src/wire/errors.ts'
import { GROUP, type GroupOptions } from './group-universe.ts'

/** A record that a member has worked on. */
export interface Processed {
  readonly member: string
  readonly partition: number
  readonly offset: number
}

/** A service that reads in the group: it works on what it polls, then commits how far it came, and polls again. */
export class Member {
  readonly name: string
  readonly consumer: ReturnType<Cluster['consumer']>
  /** Its next piece of work takes so long. */
  busyMs = 0
  readonly #cluster: Cluster
  readonly #commitsFirst: boolean
  readonly #processed: Processed[]
  readonly #isStopped: () => boolean
  #ending: 'dies' | 'leaves' | undefined
  #over = false

  constructor(
    cluster: Cluster,
    index: number,
    options: GroupOptions,
    processed: Processed[],
    isStopped: () => boolean,
  ) {
    const { protocol, assignor = 'range', commitsFirst = false } = options
    this.#cluster = cluster
    this.#commitsFirst = commitsFirst
    this.#processed = processed
    this.#isStopped = isStopped
    this.consumer = cluster.consumer({
      'group.id': GROUP,
      'client.id': `member-${index}`,
      'enable.auto.commit': false,
      'auto.offset.reset': 'earliest',
      'request.timeout.ms': 5_000,
      'default.api.timeout.ms': 10_000,
      'max.poll.interval.ms': 10_000,
      'group.protocol': protocol,
      ...(protocol === 'classic'
        ? {
            'session.timeout.ms': 6_000,
            'heartbeat.interval.ms': 1_000,
            'partition.assignment.strategy': [assignor],
          }
        : {}),
    })
    this.name = this.consumer.name
    this.consumer.subscribe(['t'])
  }

  get isOver(): boolean {
    return this.#over
  }

  owned(): number[] {
    return this.#over ? [] : this.consumer.assignment().map(({ partition }) => partition)
  }

  async run(): Promise<void> {
    try {
      while (!this.#isStopped() && this.#ending === undefined) await this.#step()
    } finally {
      this.#over = true
    }
    // Who dies says nothing: its connections are cut, for good, before it is given up.
    if (this.#ending === 'dies') this.#cluster.network.rule(isolate(this.consumer), { optional: true })
    await this.consumer.close({ timeoutMs: this.#ending === 'dies' ? 0 : 5_000 })
  }

  async #step(): Promise<void> {
    try {
      const records = await this.consumer.poll({ timeoutMs: 500 })
      if (records.length === 0) return
      if (this.#commitsFirst) await this.consumer.commit()
      if (this.busyMs > 0) {
        const busyMs = this.busyMs
        this.busyMs = 0
        await this.#cluster.clock.advance(busyMs)
      }
      // Dead in the middle of its work.
      if (this.#ending === 'dies') return
      for (const { partition, offset } of records) this.#processed.push({ member: this.name, partition, offset })
      if (!this.#commitsFirst) await this.consumer.commit()
    } catch (error) {
      // What a service meets and goes on from: it was fenced, nobody answered, a rebalance came between.
      if (
        ![KafkaError, CommitFailedError, RetriableCommitFailedError, WakeupError].some(known => error instanceof known)
      )
        throw error
    }
  }

  /** Resolves when it is gone. */
  async end(how: 'dies' | 'leaves'): Promise<void> {
    this.#ending ??= how
    if (how === 'dies') this.consumer.wakeup()
    await this.#cluster.runUntil(() => this.#over, { timeoutMs: 120_000 })
  }
}

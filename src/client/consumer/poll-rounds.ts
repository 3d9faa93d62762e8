import type { Deferred, Runtime } from '../../runtime/runtime.ts'
import { IllegalStateError, KafkaError, WakeupError } from '../../wire/errors.ts'
import type { ClientMetadata } from '../metadata.ts'
import { within } from '../topic-wait.ts'
import type { AssignedPartition } from './assigned-partition.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerInterceptors } from './consumer-interceptors.ts'
import type { ConsumerMetrics } from './consumer-metrics.ts'
import { type ConsumerRecord, ConsumerRecords } from './consumer-record.ts'
import type { Fetcher } from './fetcher.ts'
import { MissingCodecs } from './missing-codecs.ts'
import type { Positions } from './positions.ts'
import type { Subscription } from './subscription.ts'

export interface PollOptions {
  readonly runtime: Runtime
  readonly name: string
  readonly metadata: ClientMetadata
  readonly subscription: Subscription
  readonly positions: Positions
  readonly fetcher: Fetcher
  readonly interceptors: ConsumerInterceptors
  readonly metrics: ConsumerMetrics
  readonly group: ConsumerGroup | undefined
  /** @throws {IllegalStateError} once the consumer is closed */
  readonly requireOpen: (call: string) => void
}

/**
 * The polling loop: one round settles what is due (group, commits, positions), hands out what is there and asks for more;
 * the next one comes when something has changed. Nothing of it happens while nobody polls.
 */
export class PollRounds<Key, Value> {
  readonly #options: PollOptions
  readonly #codecs: MissingCodecs
  #changed: Deferred<void> | undefined
  /** Who polls now. */
  #poller: 'poll' | 'for await' | undefined
  #isWokenUp = false

  constructor(options: PollOptions) {
    this.#options = options
    this.#codecs = new MissingCodecs(options.runtime)
  }

  /** Something has come that a pending poll waits for. */
  changed(): void {
    this.#changed?.resolve()
  }

  /** One for all who wait: a poll, and any number of calls of `position`. */
  #nextChange(): Promise<void> {
    if (this.#changed === undefined || this.#changed.settled) this.#changed = this.#options.runtime.deferred()
    return this.#changed.promise
  }

  wakeUp(): void {
    this.#isWokenUp = true
    this.changed()
  }

  /** @throws {IllegalStateError} if there is nothing to poll for, or another poll is pending. */
  requirePollable(): void {
    const { subscription, name } = this.#options
    if (subscription.isIdle) {
      const what = 'Consumer is not subscribed to any topics or assigned any partitions'
      throw new IllegalStateError(`${what}: subscribe(['orders']) or assign([{ topic: 'orders', partition: 0 }]) first`)
    }
    if (this.#poller === 'poll') {
      throw new IllegalStateError(`${name} is being polled already: await one poll before the next`)
    }
    if (this.#poller === 'for await') {
      const advice = 'leave it (break, or return() of its iterator) before the next poll or iteration'
      throw new IllegalStateError(
        `${name} is being polled already, by a \`for await\` that waits for a record: ${advice}`,
      )
    }
  }

  /** The next record, however long it takes; undefined as soon as `isOver`, which is asked whenever something has changed. */
  async next(isOver: () => boolean): Promise<ConsumerRecord<Key, Value> | undefined> {
    this.#poller = 'for await'
    return (await this.#poll(Number.POSITIVE_INFINITY, 1, isOver))[0]
  }

  /** At most `most` records; none, if none came within `timeoutMs`. */
  async poll(timeoutMs: number, most: number): Promise<ConsumerRecords<Key, Value>> {
    this.#poller = 'poll'
    return this.#poll(timeoutMs, most, () => false)
  }

  async #poll(timeoutMs: number, most: number, isOver: () => boolean): Promise<ConsumerRecords<Key, Value>> {
    const { runtime, group, metrics, requireOpen } = this.#options
    // In virtual time a poll that must not wait would never see an answer: a millisecond is the least.
    const leastMs = runtime.time === 'virtual' ? 1 : 0
    const deadline = runtime.now() + Math.max(timeoutMs, leastMs)
    group?.pollBegan()
    metrics.pollBegan()
    try {
      for (;;) {
        const change = this.#nextChange()
        const records = await this.#round(most)
        if (records.length > 0) {
          runtime.progressed()
          return records
        }
        const left = deadline - runtime.now()
        if (left <= 0 || isOver()) return records
        await within(runtime, change, Math.min(left, this.#dueIn()))
        requireOpen('poll')
        if (isOver()) return new ConsumerRecords<Key, Value>()
      }
    } finally {
      this.#poller = undefined
      metrics.pollEnded()
      group?.pollEnded()
    }
  }

  /** Milliseconds until something is due that nobody tells of. */
  #dueIn(): number {
    const { runtime, metadata, group } = this.#options
    const at = Math.min(metadata.expiresAt, group?.autoCommit.dueAt ?? Number.POSITIVE_INFINITY)
    return Math.max(1, at - runtime.now())
  }

  async #round(most: number): Promise<ConsumerRecords<Key, Value>> {
    const { positions, fetcher, metadata, group, interceptors, requireOpen } = this.#options
    this.#throwPending()
    const step = group?.round()
    if (step !== undefined) {
      await step
      requireOpen('poll')
    }
    if (metadata.isStale) metadata.requestUpdate()
    positions.update()
    this.#throwPending()
    const records = new ConsumerRecords<Key, Value>()
    try {
      fetcher.collect(most, records as ConsumerRecords<unknown, unknown>)
    } catch (error) {
      if (!(await this.#codecs.load(error))) throw error
      this.changed()
    }
    fetcher.send()
    return records.length === 0 ? records : interceptors.consumed(records)
  }

  /** The next record, if one is there and nothing else is due: without a round. */
  ready(): ConsumerRecord<Key, Value> | undefined {
    const { fetcher, group, interceptors } = this.#options
    if (this.#isWokenUp || !interceptors.isEmpty || !fetcher.hasBuffered || group?.needsRound) return undefined
    const records = new ConsumerRecords<Key, Value>()
    try {
      fetcher.collect(1, records as ConsumerRecords<unknown, unknown>)
    } catch {
      // The round that follows comes to the same record, and says it.
      return undefined
    }
    if (!fetcher.hasBuffered) fetcher.send()
    if (records.length > 0) group?.polled()
    return records[0]
  }

  #throwPending(): void {
    const { positions, fetcher, metadata, name } = this.#options
    if (this.#isWokenUp) {
      this.#isWokenUp = false
      throw new WakeupError(`${name} was woken up`)
    }
    const error = positions.takeError() ?? fetcher.takeError() ?? metadata.takeRefusal() ?? this.#refusedTopics()
    if (error !== undefined) throw error
  }

  /** Of the topics that are read; what somebody merely asked about is told there. */
  #refusedTopics(): KafkaError | undefined {
    const { metadata, subscription } = this.#options
    for (const reason of ['TOPIC_AUTHORIZATION_FAILED', 'INVALID_TOPIC_EXCEPTION'] as const) {
      const wanted = subscription.wantedTopics()
      const refused = metadata.takeRefused(reason).filter(topic => wanted?.includes(topic))
      if (refused.length === 0) continue
      const isDenied = reason === 'TOPIC_AUTHORIZATION_FAILED'
      const what = isDenied ? 'Not authorized to access topics' : 'Invalid topics'
      return new KafkaError(reason, `${what}: [${refused.join(', ')}]`, { topics: refused })
    }
    return undefined
  }

  /** The position of a partition; looked up if nothing says so yet. */
  async position(assigned: AssignedPartition, timeoutMs: number): Promise<number> {
    const { runtime, positions, requireOpen } = this.#options
    const deadline = runtime.now() + timeoutMs
    for (;;) {
      const change = this.#nextChange()
      positions.update()
      this.#throwPending()
      if (assigned.position !== undefined) return assigned.position
      const left = deadline - runtime.now()
      if (left <= 0) {
        const what = `the position for partition ${assigned.name} could be determined`
        throw new KafkaError('REQUEST_TIMED_OUT', `Timeout of ${timeoutMs}ms expired before ${what}`)
      }
      await within(runtime, change, left)
      requireOpen('position')
    }
  }
}

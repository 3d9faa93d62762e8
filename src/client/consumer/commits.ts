import type { ConsumerConfigs } from '../../metadata/consumer-configs.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { KafkaError, RetriableCommitFailedError } from '../../wire/errors.ts'
import { Backoff } from '../backoff.ts'
import { type OffsetAndMetadata, partitionText, type TopicPartition } from '../topic-partition.ts'
import { within } from '../topic-wait.ts'
import type { GroupMetrics } from './group-metrics.ts'
import { type GroupOffsets, type OffsetToCommit, TryAgain } from './group-offsets.ts'

/** Told how a `commitAsync` ended: `error` is undefined where all went well. */
export type CommitCallback = (
  offsets: ReadonlyMap<TopicPartition, OffsetAndMetadata>,
  error: Error | undefined,
) => void | Promise<void>

export interface CommitOptions {
  readonly runtime: Runtime
  readonly configs: ConsumerConfigs
  readonly offsets: GroupOffsets
  readonly metrics: GroupMetrics
  /** Told of what was committed. */
  readonly committed: (offsets: ReadonlyMap<TopicPartition, OffsetAndMetadata>) => void
  /** A callback waits to be called. */
  readonly changed: () => void
}

/** Commits of one consumer, and what was committed: tried until they succeed, fail for good, or time is over. */
export class Commits {
  readonly #options: CommitOptions
  readonly #backoff: Backoff
  readonly #pending = new Set<Promise<void>>()
  #callbacks: (() => void | Promise<void>)[] = []

  constructor(options: CommitOptions) {
    const { runtime, configs } = options
    this.#options = options
    this.#backoff = new Backoff(runtime, 'client.commit', configs['retry.backoff.ms'], configs['retry.backoff.max.ms'])
  }

  /** Once, as KafkaConsumer.commitAsync; `done` is told. Never rejects. */
  async attempt(offsets: readonly OffsetToCommit[]): Promise<Error | undefined> {
    const deadline = this.#options.runtime.now() + this.#options.configs['request.timeout.ms']
    const { promise, done } = this.#announced()
    try {
      await this.#options.offsets.commit(offsets, deadline)
      this.#options.committed(byPartition(offsets))
      return undefined
    } catch (error) {
      return error as Error
    } finally {
      this.#pending.delete(promise)
      done()
    }
  }

  #announced(): { promise: Promise<void>; done: () => void } {
    const deferred = this.#options.runtime.deferred()
    this.#pending.add(deferred.promise)
    return { promise: deferred.promise, done: () => deferred.resolve() }
  }

  /** Begins a commit; `callback` is called by a later poll, commit or close. */
  begin(offsets: readonly OffsetToCommit[], callback: CommitCallback | undefined): void {
    void this.attempt(offsets).then(error => {
      if (callback === undefined) return
      const told = isRetriable(error)
        ? new RetriableCommitFailedError(
            'Offset commit failed with a retriable exception. You should retry committing',
            {
              cause: error,
            },
          )
        : error
      this.#callbacks.push(() => callback(byPartition(offsets), told))
      this.#options.changed()
    })
  }

  get hasCallbacks(): boolean {
    return this.#callbacks.length > 0
  }

  /** Callbacks of commits that have ended, in the order in which they were begun. */
  async callBack(name: string): Promise<void> {
    while (this.#callbacks.length > 0) {
      const callback = this.#callbacks.shift()!
      await this.#options.runtime.outside(`a commit callback of ${name}`, callback)
    }
  }

  /** Commits that were begun have ended, or `deadline` has come. */
  async settled(deadline: number): Promise<void> {
    const { runtime } = this.#options
    while (this.#pending.size > 0 && runtime.now() < deadline) {
      await within(runtime, Promise.all(this.#pending), deadline - runtime.now())
    }
  }

  /**
   * Commits, after all that was begun before.
   *
   * @throws {KafkaError} REQUEST_TIMED_OUT with the last refusal as its cause; what is refused for good
   */
  async commit(offsets: readonly OffsetToCommit[], timeoutMs: number): Promise<void> {
    const { runtime, metrics } = this.#options
    const calledAt = runtime.now()
    const deadline = calledAt + timeoutMs
    try {
      await this.settled(deadline)
      const what = `successfully committing offsets ${offsets.map(textOf).join(', ')}`
      await this.#insist(what, timeoutMs, deadline, () => this.#options.offsets.commit(offsets, deadline))
    } finally {
      metrics.commitTook(runtime.now() - calledAt)
    }
    this.#options.committed(byPartition(offsets))
  }

  /** By the very objects that were given; null: nothing is committed. */
  async committed(
    partitions: readonly TopicPartition[],
    timeoutMs: number,
  ): Promise<Map<TopicPartition, OffsetAndMetadata | null>> {
    const { runtime, metrics } = this.#options
    const calledAt = runtime.now()
    const deadline = calledAt + timeoutMs
    const what = `the last committed offset for partitions ${partitions.map(partitionText).join(', ')} could be determined`
    const fetch = () => this.#options.offsets.fetch(partitions, deadline)
    const found = await this.#insist(what, timeoutMs, deadline, fetch).finally(() => {
      metrics.committedTook(runtime.now() - calledAt)
    })
    return new Map(partitions.map(partition => [partition, found.get(partitionText(partition)) ?? null]))
  }

  /** Tried until it succeeds, or `deadline`. */
  async #insist<T>(what: string, timeoutMs: number, deadline: number, attempt: () => Promise<T>): Promise<T> {
    const { runtime } = this.#options
    for (let failures = 1; ; failures++) {
      const outcome = await this.#intime(attempt(), deadline)
      if ('value' in outcome) return outcome.value
      const { error } = outcome
      if (error !== undefined && !isRetriable(error)) throw error
      const pauseMs = this.#backoff.delay(failures)
      if (error === undefined || runtime.now() + pauseMs >= deadline) {
        throw new KafkaError('REQUEST_TIMED_OUT', `Timeout of ${timeoutMs}ms expired before ${what}`, { cause: error })
      }
      await runtime.sleep(pauseMs)
    }
  }

  /** What came of it; no error and no value if nothing did until `deadline`. */
  async #intime<T>(attempt: Promise<T>, deadline: number): Promise<{ value: T } | { error: Error | undefined }> {
    const { runtime } = this.#options
    let outcome: { value: T } | { error: Error | undefined } = { error: undefined }
    const settled = attempt.then(
      value => {
        outcome = { value }
      },
      (error: Error) => {
        outcome = { error }
      },
    )
    await within(runtime, settled, deadline - runtime.now())
    return outcome
  }
}

export function isRetriable(error: unknown): boolean {
  return error instanceof TryAgain || (error instanceof KafkaError && error.retriable)
}

function byPartition(offsets: readonly OffsetToCommit[]): Map<TopicPartition, OffsetAndMetadata> {
  return new Map(
    offsets.map(({ topic, partition, offset, leaderEpoch, metadata }) => [
      { topic, partition },
      { offset, leaderEpoch, metadata },
    ]),
  )
}

function textOf(offset: OffsetToCommit): string {
  return `${partitionText(offset)}: ${offset.offset}`
}

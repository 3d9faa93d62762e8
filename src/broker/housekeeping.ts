import type { Eventually } from '../log/log-store.ts'
import type { BrokerConfigs } from '../metadata/broker-configs.ts'
import type { Life } from '../node/life.ts'
import { Chore } from '../runtime/chore.ts'
import type { Partition } from './partition.ts'

/** Whether a time of `flush.ms` has come is looked at so often; Kafka's own scheduler never looks unless told to. */
const FLUSH_CHECK_MS = 1_000
/**
 * On real time logs that are too large are looked at so often, besides Kafka's own checks: they lie in memory, and what a load
 * test writes is wanted back in seconds. Age is left to Kafka's checks, for dates of test data are often long ago.
 */
const SIZE_CHECK_MS = 250

/** What a broker does beside its requests: lag, checkpoints, retention, compaction, expiry of producers, flushes. */
export class Housekeeping {
  readonly #life: Life
  readonly #name: string
  readonly #partitions: Iterable<Partition>
  readonly #lag: Chore
  readonly #afterAppend: readonly Chore[]

  constructor(options: { life: Life; name: string; partitions: Iterable<Partition>; config: () => BrokerConfigs }) {
    const { life, name, partitions, config } = options
    this.#life = life
    this.#name = name
    this.#partitions = partitions
    const halfLag = () => config()['replica.lag.time.max.ms'] / 2
    this.#lag = new Chore({
      runtime: life,
      initialDelayMs: halfLag(),
      intervalMs: halfLag,
      dueAt: now => (this.#some(partition => partition.hasLaggard()) ? now : Number.POSITIVE_INFINITY),
      run: now => {
        for (const partition of partitions) partition.checkLag(now)
      },
    })
    const chore = (
      initialDelayMs: number,
      intervalMs: () => number,
      dueAt: (partition: Partition, now: number) => number,
      run: (partition: Partition, now: number) => Eventually<unknown>,
    ) =>
      new Chore({
        runtime: life,
        initialDelayMs,
        intervalMs,
        dueAt: now => this.#earliest(partition => dueAt(partition, now)),
        run: now => {
          for (const partition of partitions)
            if (dueAt(partition, now) <= now) this.#do(partition, () => run(partition, now))
        },
      })
    const never = Number.POSITIVE_INFINITY
    const checkpointMs = () => config()['replica.high.watermark.checkpoint.interval.ms']
    this.#afterAppend = [
      chore(
        checkpointMs(),
        checkpointMs,
        ({ log }, now) => (log.checkpointNeeded ? now : never),
        ({ log }) => log.checkpoint(),
      ),
      chore(
        config()['log.initial.task.delay.ms'],
        () => config()['log.retention.check.interval.ms'],
        ({ log }, now) => log.nextRetentionAt(now),
        (partition, now) => this.#retain(partition, now),
      ),
      ...(life.time === 'real'
        ? [
            chore(
              SIZE_CHECK_MS,
              () => SIZE_CHECK_MS,
              ({ log }, now) => log.nextSizeRetentionAt(now),
              (partition, now) => this.#retain(partition, now, { only: 'size' }),
            ),
          ]
        : []),
      chore(
        config()['log.cleaner.backoff.ms'],
        () => config()['log.cleaner.backoff.ms'],
        ({ log }, now) => log.nextCompactionAt(now),
        (partition, now) => this.#compact(partition, now),
      ),
      chore(
        config()['producer.id.expiration.check.interval.ms'],
        () => config()['producer.id.expiration.check.interval.ms'],
        ({ log }) => log.nextProducerExpiryAt(),
        ({ log }, now) => log.expireProducers(now),
      ),
      chore(
        FLUSH_CHECK_MS,
        () => FLUSH_CHECK_MS,
        ({ log }) => log.nextFlushAt,
        ({ log }, now) => log.flush(now),
      ),
    ]
  }

  /** Some log grew, or a configuration changed: each chore looks at its next tick. */
  touch(): void {
    for (const chore of this.#afterAppend) chore.touch()
  }

  watchLag(): void {
    this.#lag.touch()
  }

  #some(test: (partition: Partition) => boolean): boolean {
    for (const partition of this.#partitions) if (test(partition)) return true
    return false
  }

  #earliest(due: (partition: Partition) => number): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const partition of this.#partitions) earliest = Math.min(earliest, due(partition))
    return earliest
  }

  async #retain(partition: Partition, now: number, options: { readonly only?: 'size' } = {}): Promise<void> {
    const deleted = await partition.log.applyRetention(now, options)
    if (deleted === undefined) return
    const { segments, bytes, startOffset } = deleted
    this.#life.trace.add('retention', this.#name, { what: partition.name, segments, bytes, start: startOffset })
    partition.wakeReaders()
  }

  async #compact(partition: Partition, now: number): Promise<void> {
    const cleaned = await partition.log.compact(now)
    if (cleaned === undefined) return
    const { recordsDropped, cleanedTo } = cleaned
    this.#life.trace.add('compaction', this.#name, { what: partition.name, records: recordsDropped, to: cleanedTo })
  }

  /** A store that fails is reported, and the next tick tries again. */
  #do(partition: Partition, run: () => Eventually<unknown>): void {
    const failed = (error: unknown) =>
      this.#life.trace.add('node', this.#name, {
        what: `housekeeping of ${partition.name} failed`,
        error: String(error),
      })
    try {
      const done = run()
      if (done instanceof Promise) this.#life.guard(done).catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}

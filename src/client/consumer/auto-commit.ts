import type { ConsumerConfigs } from '../../metadata/consumer-configs.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { KafkaError } from '../../wire/errors.ts'
import { Backoff } from '../backoff.ts'
import type { Commits } from './commits.ts'
import { isRetriable } from './commits.ts'
import type { OffsetToCommit } from './group-offsets.ts'
import type { AutoCommit } from './membership.ts'
import type { Subscription } from './subscription.ts'

export interface AutoCommitOptions {
  readonly runtime: Runtime
  readonly configs: ConsumerConfigs
  readonly commits: Commits
  readonly subscription: Subscription
  /** `enable.auto.commit`, in a group. */
  readonly isEnabled: boolean
}

/**
 * Commits the positions every `auto.commit.interval.ms`, in poll; before partitions are given back; and at close: so what
 * was handed out by one poll is committed by a later one, when it is taken to be done (ConsumerCoordinator).
 */
export class AutoCommitter implements AutoCommit {
  readonly isEnabled: boolean
  readonly #options: AutoCommitOptions
  readonly #backoff: Backoff
  /** When the next one is due, in milliseconds since the epoch. */
  #dueAt: number

  constructor(options: AutoCommitOptions) {
    const { runtime, configs, isEnabled } = options
    this.isEnabled = isEnabled
    this.#options = options
    const [initialMs, maxMs] = [configs['retry.backoff.ms'], configs['retry.backoff.max.ms']]
    this.#backoff = new Backoff(runtime, 'client.auto-commit', initialMs, maxMs)
    this.#dueAt = runtime.now() + configs['auto.commit.interval.ms']
  }

  /** Infinity: never. */
  get dueAt(): number {
    return this.isEnabled && this.#options.subscription.size > 0 ? this.#dueAt : Number.POSITIVE_INFINITY
  }

  reschedule(): void {
    this.#dueAt = this.#options.runtime.now() + this.#options.configs['auto.commit.interval.ms']
  }

  /** Begins a commit if its time has come. */
  commitIfDue(): void {
    const { runtime, commits, configs } = this.#options
    if (this.dueAt > runtime.now()) return
    this.reschedule()
    void commits.attempt(this.positions()).then(error => {
      // Refused for good: whoever is no member any more hears of it in poll. The next one is due as ever.
      if (mayHelp(error)) this.#dueAt = Math.min(this.#dueAt, runtime.now() + configs['retry.backoff.ms'])
    })
  }

  async beforeRevocation(deadline: number): Promise<void> {
    if (!this.isEnabled) return
    const { runtime, commits } = this.#options
    for (let failures = 1; ; failures++) {
      const error = await commits.attempt(this.positions())
      if (!mayHelp(error)) return
      const pauseMs = this.#backoff.delay(failures)
      if (runtime.now() + pauseMs >= deadline) return
      await runtime.sleep(pauseMs)
    }
  }

  /** The next offsets to hand out, of all partitions whose position is known. */
  positions(): OffsetToCommit[] {
    const offsets: OffsetToCommit[] = []
    for (const { topic, partition, position, offsetEpoch } of this.#options.subscription) {
      if (position === undefined) continue
      offsets.push({ topic, partition, offset: position, leaderEpoch: offsetEpoch, metadata: '' })
    }
    return offsets
  }
}

/** To try again soon. A topic that is gone does not come back; what else was committed with it is. */
function mayHelp(error: Error | undefined): boolean {
  const isGone = error instanceof KafkaError && error.errorName === 'UNKNOWN_TOPIC_OR_PARTITION'
  return isRetriable(error) && !isGone
}

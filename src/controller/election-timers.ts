import { NO_LEADER } from '../metadata/image.ts'
import type { ImageChanges } from '../metadata/image-changes.ts'
import type { Runtime, Timer } from '../runtime/runtime.ts'
import type { Settings } from './configs.ts'
import type { Decision, Situation } from './decision.ts'
import { decidePreferredElections, decideUncleanElections } from './elections.ts'

type Perform = (decide: (situation: Situation) => Decision<undefined>) => void

/**
 * The elections that nobody asks for: unclean ones where the topic allows them, preferred ones for balance
 * . Each has an interval, counted from when the controller became active; a timer exists only while there is a
 * partition that it could help.
 */
export class ElectionTimers {
  readonly #runtime: Runtime
  readonly #settings: Settings
  readonly #perform: Perform
  /** Topics of partitions without a leader, and how many there are. */
  readonly #leaderless = new Map<string, string>()
  readonly #imbalanced = new Set<string>()
  #activeSince = 0
  #unclean: Timer | undefined
  #preferred: Timer | undefined

  constructor(runtime: Runtime, settings: Settings, perform: Perform) {
    this.#runtime = runtime
    this.#settings = settings
    this.#perform = perform
  }

  begin(): void {
    this.#activeSince = this.#runtime.now()
  }

  follow(changes: ImageChanges): void {
    for (const topic of changes.deletedTopics) {
      for (const { topicId, partition } of topic.partitions) this.#forget(`${topicId}:${partition}`)
    }
    for (const [key, { partition }] of changes.partitions) {
      this.#forget(key)
      if (partition.leader === NO_LEADER) this.#leaderless.set(key, partition.topic)
      else if (partition.leader !== partition.replicas[0]) this.#imbalanced.add(key)
    }
    this.#arm()
  }

  #forget(key: string): void {
    this.#leaderless.delete(key)
    this.#imbalanced.delete(key)
  }

  #arm(): void {
    if (!this.#mayElectUnclean()) {
      this.#unclean?.cancel()
      this.#unclean = undefined
    } else if (this.#unclean === undefined) {
      this.#unclean = this.#tick(this.#settings.values['unclean.leader.election.interval.ms'], () => {
        this.#unclean = undefined
        return decideUncleanElections
      })
    }
    if (this.#imbalanced.size === 0 || !this.#settings.values['auto.leader.rebalance.enable']) {
      this.#preferred?.cancel()
      this.#preferred = undefined
    } else if (this.#preferred === undefined) {
      const seconds = this.#settings.values['leader.imbalance.check.interval.seconds']
      this.#preferred = this.#tick(seconds * 1000, () => {
        this.#preferred = undefined
        return decidePreferredElections
      })
    }
  }

  #mayElectUnclean(): boolean {
    for (const topic of this.#leaderless.values()) if (this.#settings.uncleanElectionEnabled(topic)) return true
    return false
  }

  /** On the next multiple of the interval; again when it did not help all. */
  #tick(intervalMs: number, fired: () => (situation: Situation) => Decision<undefined>): Timer {
    const since = this.#runtime.now() - this.#activeSince
    const ms = intervalMs - (since % intervalMs)
    const run = () => {
      this.#perform(fired())
      this.#arm()
    }
    return this.#runtime.after(ms, run, { housekeeping: true })
  }
}

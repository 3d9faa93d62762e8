import type { GroupState } from '../client/admin/groups.ts'
import type { LivingMember } from '../client/environment.ts'
import type { OffsetAndMetadata } from '../client/topic-partition.ts'
import type { ClusterImage } from '../metadata/image.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { ConfigError } from '../wire/errors.ts'
import type { BrokerHandle } from './broker-handle.ts'
import type { CoordinatorPlace } from './coordinator-lookup.ts'
import { consumersOf, haveTakenOver } from './group-consumers.ts'
import { type Consumption, type ConsumptionOf, consumptionOf, waitForConsumption } from './group-consumption.ts'
import { describeGroup } from './group-description.ts'
import { atOnce, endOffsetOf, type GroupPartitionView, lagOf, partitionsOf, sumOf } from './group-lag.ts'
import { type FoundGroup, findGroup, seenGroup } from './group-lookup.ts'
import type { GroupMemberView, Membership } from './group-membership.ts'
import { lookUntil } from './look.ts'
import { refuseUnknown } from './options.ts'
import type { BytesRecord } from './topic-handle.ts'
import { requirePartition, requireTopic } from './topic-lookup.ts'
import type { Isolation } from './visible-records.ts'
import { defaultConsumedTimeoutMs, defaultStableTimeoutMs, WaitTimeoutError, waitUntil } from './wait.ts'

/** What a group's handle needs to know of the cluster. */
export interface GroupHost extends CoordinatorPlace {
  readonly runtime: Runtime
  /** @throws {IllegalStateError} after the end */
  readonly image: () => ClusterImage
  /** Consumers of this cluster that are open and have a `group.id`. */
  readonly members: Iterable<LivingMember>
}

export interface GroupWaitOptions {
  /** On the cluster's time. Default 60,000 of virtual and 3,000 of real time: before a runner's five seconds are over. */
  readonly timeoutMs?: number
}

export interface StableWaitOptions {
  /** How many members it is to have. */
  readonly members?: number
  /**
   * On the cluster's time. Default 60,000 of virtual and 4,500 of real time, where members of a classic group hear of a
   * rebalance with their heartbeats, every 3,000 ms (`heartbeat.interval.ms`).
   */
  readonly timeoutMs?: number
}

export interface ConsumedWaitOptions {
  /**
   * On the cluster's time. Default 60,000 of virtual and 10,000 of real time, where a consumer that commits by itself does so
   * after 5,000 ms (`auto.commit.interval.ms`): a runner may have to be allowed more, or the consumer told to commit sooner.
   */
  readonly timeoutMs?: number
}

export interface ConsumedOptions {
  /** Default `'read_committed'`: aborted records, and those of open transactions, are none. */
  readonly isolation?: Isolation
}

/**
 * A group as a test sees it, on the broker that coordinates it: every look is at this moment. Where there is no such group
 * a look throws a RangeError with the nearest name; where nobody can say, since the coordinator is away or has not read the
 * log yet, an IllegalStateError. Waits wait for both.
 */
export class GroupHandle {
  readonly id: string
  readonly #host: GroupHost

  constructor(host: GroupHost, id: string) {
    if (typeof id !== 'string') throw new ConfigError(`group() takes the id of a group, as in 'billing', not ${id}`)
    this.#host = host
    this.id = id
  }

  // --- who is in -----------------------------------------------------------------------------------------------------

  /** There is such a group, and its coordinator knows. */
  get exists(): boolean {
    return this.#seen !== undefined
  }

  /** `consumer`: of the new protocol (KIP-848). */
  get type(): 'classic' | 'consumer' {
    return this.#membership.type
  }

  get state(): GroupState {
    return this.#membership.state
  }

  /** `consumer` for groups of consumers; '' for one that only keeps offsets. */
  get protocolType(): string {
    return this.#membership.protocolType
  }

  /** What partitions are assigned by: `range`, `cooperative-sticky`, `uniform`; '' while that is not decided. */
  get protocol(): string {
    return this.#membership.protocol
  }

  /** Goes up with every rebalance: of a classic group its generation, else the group epoch. */
  get generation(): number {
    return this.#membership.generation
  }

  /** In the order in which they joined. */
  get members(): readonly GroupMemberView[] {
    return this.#membership.members
  }

  get coordinator(): BrokerHandle {
    return this.#found.coordinator
  }

  // --- how far it is -------------------------------------------------------------------------------------------------

  /**
   * Partitions that it has committed offsets of, and all of the topics that its members subscribe to, or match by a pattern:
   * the coordinator's, or the RegExp of a consumer of this cluster, also before it has looked. By name.
   */
  get partitions(): readonly GroupPartitionView[] {
    const { brokers } = this.#host
    const image = this.#host.image()
    return this.#partitionsOf(this.#found, image).map(each => ({
      ...each,
      endOffset: endOffsetOf(brokers, image, each, ISOLATION),
      lag: atOnce(lagOf(brokers, image, each, ISOLATION)),
    }))
  }

  /**
   * Records at or above the committed offsets, of all its `partitions`: those below count as read, whether or not anybody
   * read them (`auto.offset.reset: 'latest'` skips what was there before). Undefined while it has no partitions, or one has
   * an unknown lag.
   */
  get lag(): number | undefined {
    return sumOf(this.#lags(this.#found, ISOLATION).map(atOnce))
  }

  /** What it has committed of a partition; undefined for nothing. @throws {RangeError} for a partition that is not there */
  committed(topic: string, partition: number): OffsetAndMetadata | undefined {
    const committed = this.#found.shard.shard.committed.offsets.get(this.id, topic, partition)
    if (committed === undefined) {
      requirePartition(this.#host.image(), topic, partition)
      return undefined
    }
    return { offset: committed.offset, leaderEpoch: committed.leaderEpoch, metadata: committed.metadata }
  }

  // --- waits ---------------------------------------------------------------------------------------------------------

  /**
   * Lets time run until the group is stable, and stays so for 100 ms: nobody is joining, everybody has what is theirs and has
   * been told; with `members`, exactly so many. A consumer of this cluster that is being polled has also taken over what it
   * was given: `assignment()` says so. Nobody joins who is not polled. (In a cooperative rebalance the coordinator is stable for a moment, until
   * those who have to give up partitions have done so and join again.)
   *
   * @throws {WaitTimeoutError} that says who is in, what each has, and how far they are.
   */
  async waitForStable(options: StableWaitOptions = {}): Promise<void> {
    refuseUnknown('option of waitForStable', options, ['members', 'timeoutMs'])
    const { members, timeoutMs = defaultStableTimeoutMs(this.#host.runtime) } = options
    if (members !== undefined) requireCount('members', members)
    if (members === 0) {
      throw new ConfigError('a group without members is never stable: waitForMembers(0) waits until all have left')
    }
    const wanted = members === undefined ? '' : ` with ${members} member${members === 1 ? '' : 's'}`
    const isSteady = this.#steady()
    await this.#wait(`group '${this.id}' to be stable${wanted}`, { timeoutMs }, membership => {
      const isStable = membership.state === 'Stable' && membership.isCommitted
      const isWanted = members === undefined || membership.members.length === members
      const isSo = isStable && isWanted && haveTakenOver(consumersOf(this.#host.members, this.id), membership)
      return isSteady(isSo ? membership.generation : undefined)
    })
  }

  /** Lets time run until exactly so many members are in, whatever they are doing. @throws {WaitTimeoutError} */
  async waitForMembers(count: number, options: GroupWaitOptions = {}): Promise<void> {
    refuseUnknown('option of waitForMembers', options, ['timeoutMs'])
    requireCount('waitForMembers()', count)
    const what = `group '${this.id}' to have ${count} member${count === 1 ? '' : 's'}`
    await this.#wait(what, options, ({ members }) => members.length === count)
  }

  /**
   * Lets time run until no more than `most` records are left to read, counted as `lag` does, or with `read_uncommitted` also
   * those of open and aborted transactions: what lies below the committed offsets was read, or skipped. A topic that a
   * pattern of a member matches counts from the moment it is there. A group that nobody knows yet, or that neither has members nor has committed
   * anything, is waited for.
   *
   * @throws {WaitTimeoutError} that says how much is left of which partition, and whom nobody polls.
   */
  async waitForLag(most: number, options: ConsumedOptions & ConsumedWaitOptions = {}): Promise<void> {
    refuseUnknown('option of waitForLag', options, ['isolation', 'timeoutMs'])
    requireCount('waitForLag()', most)
    const { isolation = ISOLATION } = options
    const { runtime } = this.#host
    const what = `a wait for a lag of ${most} of group '${this.id}'`
    const { timeoutMs = defaultConsumedTimeoutMs(runtime) } = options
    const held = await lookUntil(runtime, what, {
      timeoutMs,
      look: async () => {
        const found = this.#seen
        if (found === undefined) return false
        const lags = this.#lags(found, isolation)
        const sum = sumOf(lags.some(lag => lag instanceof Promise) ? await Promise.all(lags) : (lags as number[]))
        return sum !== undefined && sum <= most
      },
      changed: () => this.#fingerprint(isolation),
    })
    if (held) return
    throw new WaitTimeoutError(`${what} waited ${timeoutMs} ms: ${this.describe()}`)
  }

  /**
   * Lets time run until what the group has consumed of a topic fulfils `isSo`, and answers whether it does, and what it has
   * consumed; undefined where there is no such group, or nobody can say.
   */
  async waitForConsumed(
    topic: string,
    isSo: (consumption: Consumption) => boolean,
    options: ConsumedOptions & ConsumedWaitOptions = {},
  ): Promise<{ readonly held: boolean; readonly last: Consumption | undefined }> {
    refuseUnknown('option of waitForConsumed', options, ['isolation', 'timeoutMs'])
    return waitForConsumption(this.#consumptionOf(topic, options), isSo, options.timeoutMs)
  }

  /** The records of a topic that lie below the committed offsets, read or skipped, in order for each partition. */
  async consumed(topic: string, options: ConsumedOptions = {}): Promise<readonly BytesRecord[]> {
    refuseUnknown('option of consumed', options, ['isolation'])
    requireTopic(this.#host.image(), topic)
    return (await consumptionOf(this.#consumptionOf(topic, options), this.#found)).consumed
  }

  /** How the group stands, over several lines: for a failure. Throws nothing. */
  describe(): string {
    return describeGroup(this, this.#host, this.#seen)
  }

  // --- where it is ---------------------------------------------------------------------------------------------------

  get #found(): FoundGroup {
    return findGroup(this.#host, this.id)
  }

  get #membership(): Membership {
    return this.#found.membership
  }

  get #seen(): FoundGroup | undefined {
    return seenGroup(this.#host, this.id)
  }

  /** Whether a generation has been there for a while, every time that it is asked. */
  #steady(): (generation: number | undefined) => boolean {
    const { runtime } = this.#host
    let since: { readonly generation: number; readonly at: number } | undefined
    return generation => {
      if (generation === undefined) since = undefined
      else if (generation !== since?.generation) {
        since = { generation, at: runtime.now() }
        // Waits look after every event: here there is to be one, even if nothing else happens.
        runtime.after(STEADY_MS, () => {})
      }
      return since !== undefined && runtime.now() - since.at >= STEADY_MS
    }
  }

  async #wait(what: string, options: GroupWaitOptions, isSo: (membership: Membership) => boolean): Promise<void> {
    const isHeld = () => {
      const found = this.#seen
      return found !== undefined && isSo(found.membership)
    }
    await waitUntil(this.#host.runtime, `a wait for ${what}`, isHeld, {
      ...waitOf(options),
      describe: () => this.describe(),
    })
  }

  #consumptionOf(topic: string, { isolation = ISOLATION }: ConsumedOptions): ConsumptionOf {
    return { ...this.#host, group: this.id, topic, isolation }
  }

  #partitionsOf(found: FoundGroup, image: ClusterImage) {
    return partitionsOf(found, this.id, image, this.#host.members)
  }

  #lags(found: FoundGroup, isolation: Isolation) {
    const image = this.#host.image()
    return this.#partitionsOf(found, image).map(each => lagOf(this.#host.brokers, image, each, isolation))
  }

  /** Another one whenever more or less may be left to read. */
  #fingerprint(isolation: Isolation): string {
    const found = this.#seen
    if (found === undefined) return '-'
    const image = this.#host.image()
    let text = ''
    for (const each of this.#partitionsOf(found, image)) {
      const end = endOffsetOf(this.#host.brokers, image, each, isolation)
      text += `${each.topic}-${each.partition}:${each.committedOffset}:${end} `
    }
    return text
  }
}

const ISOLATION = 'read_committed'
/** Members hear of a rebalance, and answer it, in less. */
const STEADY_MS = 100

function requireCount(what: string, count: number): void {
  if (Number.isInteger(count) && count >= 0) return
  throw new ConfigError(`${what} takes a whole number from 0 on, not ${count}`)
}

function waitOf({ timeoutMs }: GroupWaitOptions): { timeoutMs?: number } {
  return timeoutMs === undefined ? {} : { timeoutMs }
}

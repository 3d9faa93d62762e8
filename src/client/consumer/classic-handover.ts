import { decodeAssignment } from '../../wire/consumer-protocol.ts'
import type { ClientError } from '../client-error.ts'
import { partitionText, type TopicPartition } from '../topic-partition.ts'
import type { Assignor, RebalanceProtocol } from './assignors/assignor.ts'
import type { MemberIdentity, MembershipOptions } from './membership.ts'

/** A generation whose assignment has come, and waits for the next poll to be taken over. */
export interface Joined {
  readonly identity: MemberIdentity
  readonly assignor: Assignor
  /** A ConsumerProtocolAssignment. */
  readonly assignment: Uint8Array
}

/**
 * How partitions change hands around a join (ConsumerCoordinator's onJoinPrepare and onJoinComplete). Eager: everything is
 * given back before joining. Cooperative: only what the new assignment takes away, after it, and then the member has to join
 * once more, so that others may get it (KIP-429).
 */
export class ClassicHandover {
  readonly #options: MembershipOptions
  readonly #protocol: RebalanceProtocol
  readonly #rejoin: (reason: string) => void
  /** What it has is still to be given back, or some of it, before the next join. */
  #isDue = true
  /** The commit before that. */
  #commit: { done: boolean } | undefined

  constructor(options: MembershipOptions, protocol: RebalanceProtocol, rejoin: (reason: string) => void) {
    this.#options = options
    this.#protocol = protocol
    this.#rejoin = rejoin
  }

  get isDue(): boolean {
    return this.#isDue
  }

  /** Before the next join it has to be done again. */
  restart(): void {
    this.#isDue = true
  }

  /**
   * Before a join. False: it waits for a commit, and is to be called again; `changed` tells when.
   *
   * @throws {ClientError} once, if the listener threw; it is done nevertheless
   */
  async prepare(isMember: boolean): Promise<boolean> {
    const { autoCommit, subscription, callbacks } = this.#options
    if (!this.#isCommitted(isMember)) return false
    // Also if the listener throws: it is not to be told twice.
    this.#isDue = false
    const owned = subscription.assigned()
    let error: ClientError | undefined
    if (!isMember) {
      if (owned.length > 0) {
        error = await callbacks.lost(owned)
        subscription.assignFromGroup([])
      }
    } else if (this.#protocol === 'eager') {
      error = await callbacks.revoked(owned)
      subscription.assignFromGroup([])
    } else {
      const unwanted = owned.filter(({ topic }) => !subscription.topics.has(topic))
      if (unwanted.length > 0) {
        error = await callbacks.revoked(unwanted)
        subscription.assignFromGroup(without(owned, unwanted))
      }
    }
    autoCommit.reschedule()
    if (error !== undefined) throw error
    return true
  }

  #isCommitted(isMember: boolean): boolean {
    const { runtime, autoCommit, subscription, configs, changed } = this.#options
    if (this.#commit === undefined && autoCommit.isEnabled && isMember && subscription.size > 0) {
      // What is handed out from here on would be read again by whoever gets the partition.
      if (this.#protocol === 'eager') for (const partition of subscription) partition.isRevoking = true
      const commit = { done: false }
      this.#commit = commit
      void autoCommit.beforeRevocation(runtime.now() + configs['max.poll.interval.ms']).then(() => {
        commit.done = true
        changed()
      })
    }
    if (this.#commit?.done === false) return false
    this.#commit = undefined
    return true
  }

  /** After a join. @throws {ClientError} if the listener threw; the assignment holds nevertheless */
  async complete({ identity, assignor, assignment }: Joined): Promise<void> {
    const { subscription, callbacks, autoCommit, groupId, identified } = this.#options
    this.#isDue = true
    identified(identity)
    const assigned = decodeAssignment(assignment).assignedPartitions.flatMap(({ topic, partitions }) =>
      partitions.map(partition => ({ topic, partition })),
    )
    if (assigned.some(({ topic }) => !subscription.topics.has(topic))) {
      // Subscribed to something else since: what was assigned is not what is wanted any more.
      this.#rejoin('received assignment does not match the current subscription')
      return
    }
    const owned = subscription.assigned()
    const revoked = without(owned, assigned)
    let error: ClientError | undefined
    if (this.#protocol === 'cooperative' && revoked.length > 0) {
      error = await callbacks.revoked(revoked)
      this.#rejoin('need to revoke partitions and re-join')
    }
    const { memberId, generationId, groupInstanceId } = identity
    assignor.onAssignment?.(assigned, { groupId, generationId, memberId, groupInstanceId })
    autoCommit.reschedule()
    subscription.assignFromGroup(assigned)
    const assigning = await callbacks.assigned(without(assigned, owned))
    error ??= assigning
    if (error !== undefined) throw error
  }

  /** Everything, for good. Answers what the listener threw. */
  async giveBack(isLost: boolean, deadline?: number): Promise<ClientError | undefined> {
    const { subscription, callbacks } = this.#options
    const owned = subscription.assigned()
    if (owned.length === 0) return undefined
    const error = isLost ? await callbacks.lost(owned, deadline) : await callbacks.revoked(owned, deadline)
    subscription.assignFromGroup([])
    return error
  }
}

/** Those of the first that are not in the second. */
function without(partitions: readonly TopicPartition[], others: readonly TopicPartition[]): TopicPartition[] {
  const names = new Set(others.map(partitionText))
  return partitions.filter(partition => !names.has(partitionText(partition)))
}

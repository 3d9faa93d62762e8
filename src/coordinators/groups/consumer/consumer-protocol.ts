import type { Asker } from '../../../apis/authorization.ts'
import type { ImageChanges } from '../../../metadata/image-changes.ts'
import type { RequestContext } from '../../../wire/api.ts'
import { KafkaError } from '../../../wire/errors.ts'
import type { GroupEnvironment } from '../group-environment.ts'
import type { GroupShard } from '../group-shard.ts'
import type { GroupState } from '../group-state.ts'
import { ClassicMembers } from './classic-members.ts'
import { ConsumerGroup } from './consumer-group.ts'
import {
  decideHeartbeat,
  farewell,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  leaver,
  stepAway,
} from './consumer-heartbeats.ts'
import { AWAY, JOINING, LEAVING } from './consumer-member.ts'
import type { Round, RoundHost } from './consumer-rounds.ts'
import { ConsumerSteps, type Eventually, type Step } from './consumer-steps.ts'
import { Departures } from './departures.ts'
import { resolveExpressions } from './expression-resolution.ts'
import { GroupDraft } from './group-draft.ts'
import { upgraded } from './migration.ts'
import { assignorOf } from './target-assignment.ts'

export interface DescribedConsumerGroup {
  readonly group: ConsumerGroup
  readonly assignorName: string
}

/** ConsumerGroupHeartbeat of the groups of one shard, and what time brings about in them (G-50…G-58). */
export class ConsumerProtocol implements RoundHost {
  readonly environment: GroupEnvironment
  newestTopicAt = -1
  /** For members that speak the classic protocol, in a group that is a consumer group. */
  readonly classicMembers: ClassicMembers
  readonly #group: GroupShard
  readonly #steps: ConsumerSteps
  readonly #departures: Departures
  /** Groups whose subscribed topics have not changed since their hash was computed. */
  readonly #fresh = new Set<string>()

  constructor(group: GroupShard) {
    this.#group = group
    this.environment = group.environment
    this.#steps = new ConsumerSteps(group)
    this.#departures = new Departures(group, this.#steps)
    this.classicMembers = new ClassicMembers(this, this.#steps, this.#departures)
  }

  // --- requests ------------------------------------------------------------------------------------------------------

  /** @throws {KafkaError} what G-51 and G-52 say; NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE */
  heartbeat(request: HeartbeatRequest, context: RequestContext): Eventually<HeartbeatAnswer> {
    const { groupId, memberEpoch } = request
    if (memberEpoch < 0) return this.#steps.decide(groupId, state => this.#leave(state, request))
    return this.#steps.decide(groupId, state => {
      const { draft, migrated } = this.#draftFor(state, groupId, memberEpoch === JOINING)
      const { answer, round } = decideHeartbeat(this, draft, request, context)
      const then = () => {
        migrated?.()
        this.tookRound(groupId, round, context)
      }
      const reason = memberEpoch === JOINING ? { reason: `${round.member.memberId} joins` } : {}
      return { records: draft.records, response: answer, then, ...reason }
    })
  }

  /** Of a group that is there, or of a new one; a classic group becomes a consumer group for it (G-4, G-58). */
  #draftFor(
    { groups }: GroupState,
    groupId: string,
    joins: boolean,
  ): { readonly draft: GroupDraft; readonly migrated?: () => void } {
    const group = groups.get(groupId)
    if (group?.type === 'consumer') return { draft: new GroupDraft(group) }
    if (group === undefined) {
      if (joins) return { draft: new GroupDraft(groupId) }
      throw new KafkaError('GROUP_ID_NOT_FOUND', `Consumer group ${groupId} not found.`)
    }
    if (!joins) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a consumer group.`)
    const draft = upgraded(group, this.environment)
    const members = [...draft.group.members.values()]
    const migrated = () => {
      this.#group.classic.dissolved(group)
      for (const member of members) this.#departures.touch(groupId, member)
    }
    return { draft, migrated }
  }

  #leave({ groups }: GroupState, request: HeartbeatRequest): Step<HeartbeatAnswer> {
    const { groupId, memberId, memberEpoch } = request
    const group = requireConsumerGroup(groups.get(groupId), groupId)
    const member = leaver(group, request)
    if (memberEpoch === AWAY) {
      const draft = new GroupDraft(group)
      stepAway(draft, member)
      return { records: draft.records, response: farewell(memberId, AWAY), reason: `${memberId} is away` }
    }
    const removal = this.#departures.remove(group, [member])
    return { ...removal, response: farewell(memberId, LEAVING), reason: `${memberId} leaves` }
  }

  /** As committed. @throws {KafkaError} GROUP_ID_NOT_FOUND, also for a group of another type; as `Shard.read` does */
  described(groupId: string): DescribedConsumerGroup {
    const group = this.#group.shard.read(({ groups }) => requireConsumerGroup(groups.get(groupId), groupId))
    return { group, assignorName: assignorOf(group, this.environment.config()['group.consumer.assignors']) }
  }

  // --- rounds --------------------------------------------------------------------------------------------------------

  isFresh(groupId: string): boolean {
    return this.#fresh.has(groupId)
  }

  /** After a round's records are replayed: what its member is given time for. */
  tookRound(groupId: string, { member, resolve }: Round, asker?: Asker): void {
    this.#fresh.add(groupId)
    this.#departures.touch(groupId, member)
    this.#departures.giveTimeToRevoke(groupId, member)
    if (resolve) resolveExpressions(this.#steps, groupId, asker)
  }

  // --- the shard -----------------------------------------------------------------------------------------------------

  /** Sessions begin anew: nobody knows when members were last heard of (G-2). */
  loaded(): void {
    this.newestTopicAt = this.environment.image.offset
    for (const group of this.#group.shard.latest.groups.values()) {
      if (group.type !== 'consumer') continue
      for (const member of group.members.values()) {
        this.#departures.touch(group.id, member)
        this.#departures.giveTimeToRevoke(group.id, member)
      }
      this.#steps.trace(group.id, 'loaded')
    }
  }

  /** Groups that are subscribed to a topic that changed look at their topics again with the next heartbeat (G-53). */
  metadataChanged(changes: ImageChanges): void {
    const topics = new Set(changes.deletedTopics.map(({ name }) => name))
    for (const { partition, previous } of changes.partitions.values()) {
      topics.add(partition.topic)
      if (previous === undefined) this.newestTopicAt = this.environment.image.offset
    }
    if (topics.size === 0) return
    const { groups } = this.#group.shard.latest
    for (const groupId of [...this.#fresh]) {
      const group = groups.get(groupId)
      const isAffected = group?.type !== 'consumer' || [...topics].some(topic => group.isSubscribedTo(topic))
      if (isAffected) this.#fresh.delete(groupId)
    }
  }

  leapt(ms: number): void {
    this.#departures.sessions.leapt(ms)
  }

  closed(): void {
    this.#fresh.clear()
  }
}

/** @throws {KafkaError} GROUP_ID_NOT_FOUND */
function requireConsumerGroup(group: { readonly type: string } | undefined, groupId: string): ConsumerGroup {
  if (group instanceof ConsumerGroup) return group
  const text = group === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a consumer group.`
  throw new KafkaError('GROUP_ID_NOT_FOUND', text)
}

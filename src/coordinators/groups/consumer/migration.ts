import type { ClusterImage } from '../../../metadata/image.ts'
import { decodeAssignment, decodeSubscription, encodeAssignment } from '../../../wire/consumer-protocol.ts'
import { KafkaError } from '../../../wire/errors.ts'
import { MalformedError } from '../../../wire/reader.ts'
import { ClassicGroup } from '../classic/classic-group.ts'
import { ClassicMember } from '../classic/classic-member.ts'
import { groupRecord, groupTombstone } from '../classic/classic-records.ts'
import { electProtocol } from '../classic/protocol-votes.ts'
import type { GroupEnvironment } from '../group-environment.ts'
import type { GroupRecordInput } from '../group-records.ts'
import { groupTombstones } from '../group-tombstones.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, memberStates, namesOf, newMember } from './consumer-member.ts'
import {
  currentAssignmentRecord,
  groupEpochRecord,
  memberRecord,
  targetEpochRecord,
  targetRecord,
} from './consumer-records.ts'
import { GroupDraft } from './group-draft.ts'
import { metadataHash } from './metadata-hash.ts'
import { type OwnedPartitions, withoutEpochs } from './partition-sets.ts'

const PROTOCOL_TYPE = 'consumer'

// --- up --------------------------------------------------------------------------------------------------------------

/**
 * A classic group becomes a consumer group, because a member of the consumer protocol joins it (G-58): its generation is the
 * epoch, and what its members have is their target. A group without members just ends.
 *
 * @throws {KafkaError} GROUP_ID_NOT_FOUND: it may not, or what its members say cannot be read
 */
export function upgraded(group: ClassicGroup, environment: GroupEnvironment): GroupDraft {
  const draft = new GroupDraft(group.id, [groupTombstone(group.id)])
  if (group.isEmpty) return draft
  requireUpgradable(group, environment)
  const { generation } = group
  const members = [...group.members.values()].map(member => migrated(group, member, environment.image))
  for (const member of members) draft.add(memberRecord(group.id, member))
  draft.add(groupEpochRecord(group.id, generation, metadataHash(draft.group, environment.image)))
  for (const { memberId, assigned } of members) draft.add(targetRecord(group.id, memberId, withoutEpochs(assigned)))
  draft.add(targetEpochRecord(group.id, generation, 0))
  for (const member of members) draft.add(currentAssignmentRecord(group.id, member))
  return draft
}

function requireUpgradable(group: ClassicGroup, environment: GroupEnvironment): void {
  const config = environment.config()
  if (!allows(config['group.consumer.migration.policy'], 'UPGRADE'))
    throw notUpgradable(group, 'online upgrade is disabled')
  if (group.protocolType !== PROTOCOL_TYPE) {
    throw notUpgradable(group, 'the group does not use the consumer embedded protocol')
  }
  if (group.members.size > config['group.consumer.max.size']) {
    throw notUpgradable(group, 'the group size exceeds the consumer group maximum size')
  }
}

function notUpgradable({ id }: ClassicGroup, reason: string): KafkaError {
  return new KafkaError('GROUP_ID_NOT_FOUND', `Cannot upgrade classic group ${id} to consumer group because ${reason}.`)
}

function migrated(group: ClassicGroup, member: ClassicMember, image: ClusterImage): ConsumerMember {
  const { id: memberId, instanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols } = member
  const { generation } = group
  // Before the first generation there is no protocol yet: members say the same under each of theirs.
  const metadata = group.protocol === null ? protocols[0]!.metadata : member.metadataOf(group.protocol)
  try {
    const { topics, rackId } = decodeSubscription(metadata)
    const { assignedPartitions } = decodeAssignment(member.assignment)
    return {
      ...newMember(memberId),
      instanceId,
      rackId,
      clientId,
      clientHost,
      rebalanceTimeoutMs,
      subscribedTopicNames: namesOf(topics),
      classic: { sessionTimeoutMs, supportedProtocols: protocols },
      memberEpoch: generation,
      previousMemberEpoch: generation,
      state: memberStates.STABLE,
      assigned: byId(assignedPartitions, image, generation),
    }
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    throw notUpgradable(group, 'the embedded consumer protocol is malformed')
  }
}

interface NamedPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

function byId(topics: readonly NamedPartitions[], image: ClusterImage, epoch: number): OwnedPartitions {
  const owned = new Map<string, ReadonlyMap<number, number>>()
  for (const { topic, partitions } of topics) {
    const topicId = image.topic(topic)?.topicId
    if (topicId === undefined || partitions.length === 0) continue
    owned.set(topicId, new Map(partitions.map(partition => [partition, epoch])))
  }
  return owned
}

// --- down ------------------------------------------------------------------------------------------------------------

/** Whether the group goes back to the classic protocol once these members are gone: all others speak it. */
export function isDowngradable(
  group: ConsumerGroup,
  leaving: ReadonlySet<string>,
  environment: GroupEnvironment,
): boolean {
  const config = environment.config()
  const staying = [...group.members.values()].filter(({ memberId }) => !leaving.has(memberId))
  return (
    allows(config['group.consumer.migration.policy'], 'DOWNGRADE') &&
    staying.length > 0 &&
    staying.length <= config['group.max.size'] &&
    staying.every(({ classic }) => classic !== undefined)
  )
}

export interface Downgrade {
  readonly records: readonly GroupRecordInput[]
  /** What its members offer besides the protocol that is written. */
  readonly protocolsOf: ReadonlyMap<string, ClassicMember['protocols']>
}

/** The group, without those who leave, as a classic one: in a generation that is its epoch (G-58). */
export function downgraded(
  group: ConsumerGroup,
  leaving: ReadonlySet<string>,
  environment: GroupEnvironment,
): Downgrade {
  const classic = new ClassicGroup(group.id)
  for (const member of group.members.values()) {
    if (leaving.has(member.memberId)) continue
    const { memberId: id, instanceId, clientId, clientHost, rebalanceTimeoutMs } = member
    const { sessionTimeoutMs, supportedProtocols: protocols } = member.classic!
    const made = new ClassicMember(
      { id, instanceId, clientId, clientHost },
      { protocols, rebalanceTimeoutMs, sessionTimeoutMs },
    )
    made.assignment = classicAssignment(member, environment.image)
    classic.add(made, PROTOCOL_TYPE)
  }
  const members = [...classic.members.values()]
  classic.generation = group.groupEpoch
  classic.protocol = electProtocol(members) ?? null
  const now = environment.runtime.now()
  const record = groupRecord(classic, now, members, classic.leaderId, ({ assignment }) => assignment)
  return {
    records: [...groupTombstones(group), record],
    protocolsOf: new Map(members.map(({ id, protocols }) => [id, protocols])),
  }
}

/** What a member has, in the words of the classic protocol, in the version that it speaks. */
export function classicAssignment({ classic, assigned }: ConsumerMember, image: ClusterImage): Uint8Array {
  const assignedPartitions = [...withoutEpochs(assigned)].flatMap(([topicId, partitions]) => {
    const topic = image.topicById(topicId)?.name
    return topic === undefined ? [] : [{ topic, partitions }]
  })
  const metadata = classic?.supportedProtocols[0]?.metadata
  const version = metadata === undefined || metadata.length < 2 ? 0 : (metadata[0]! << 8) | metadata[1]!
  return encodeAssignment({ assignedPartitions, userData: null }, Math.min(version, 3))
}

/** Neither up nor down: members of both protocols never meet in one group. */
export function isMigrationDisabled(environment: GroupEnvironment): boolean {
  return environment.config()['group.consumer.migration.policy'].toUpperCase() === 'DISABLED'
}

function allows(policy: string, direction: 'UPGRADE' | 'DOWNGRADE'): boolean {
  return [direction, 'BIDIRECTIONAL'].includes(policy.toUpperCase())
}

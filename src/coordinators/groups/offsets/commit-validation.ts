import { KafkaError } from '../../../wire/errors.ts'
import type { ClassicGroup } from '../classic/classic-group.ts'
import type { GroupState } from '../group-state.ts'

/** Who commits, as the request says. */
export interface Committer {
  readonly groupId: string
  readonly generationIdOrMemberEpoch: number
  readonly memberId: string
  readonly groupInstanceId: string | null
  /** Of OffsetCommit; undefined for TxnOffsetCommit. */
  readonly version: number | undefined
}

/**
 * May it commit? A group that is not there is made for whoever commits without being a member: an administrator, or a
 * consumer that assigns its partitions itself (G-30, G-31).
 *
 * @throws {KafkaError} GROUP_ID_NOT_FOUND (before OffsetCommit v9, and in transactions, ILLEGAL_GENERATION) without a
 * group; otherwise what the group says of its members
 */
export function validateCommit(
  state: GroupState,
  committer: Committer,
  partitions: Iterable<{ readonly topicId: string; readonly partition: number }>,
): void {
  const { groupId, memberId, generationIdOrMemberEpoch: epoch, groupInstanceId: instanceId, version } = committer
  const group = state.groups.get(groupId)
  if (group === undefined) {
    if (epoch < 0) return
    throw new KafkaError(version !== undefined && version >= 9 ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION')
  }
  if (group.type === 'consumer') {
    group.validateOffsetCommit({ memberId, memberEpoch: epoch, instanceId, version }, partitions)
  } else validateClassic(group, committer)
}

/** G-30: ClassicGroup.validateOffsetCommit. Transactions may come from producers that know nothing of the group. */
function validateClassic(group: ClassicGroup, committer: Committer): void {
  const { memberId, generationIdOrMemberEpoch: generation, groupInstanceId: instanceId, version } = committer
  const isTransactional = version === undefined
  if (group.state === 'Dead') throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
  if (generation < 0 && group.isEmpty) return
  if (generation >= 0 || memberId !== '' || instanceId !== null) {
    group.requireMember(memberId, instanceId)
    if (generation !== group.generation) throw new KafkaError('ILLEGAL_GENERATION')
  } else if (!isTransactional) {
    throw new KafkaError('UNKNOWN_MEMBER_ID')
  }
  // It knows of the new generation, but not yet what it has in it.
  if (!isTransactional && group.state === 'CompletingRebalance') throw new KafkaError('REBALANCE_IN_PROGRESS')
}

import { errorCodes } from '../../../wire/errors.ts'
import type { ShardDecision, ShardTransaction } from '../../shard-decision.ts'
import type { GroupEnvironment } from '../group-environment.ts'
import type { GroupRecordInput } from '../group-records.ts'
import type { GroupState } from '../group-state.ts'
import { type Committer, validateCommit } from './commit-validation.ts'

interface CommitPartition {
  readonly partitionIndex: number
  readonly committedOffset: number
  readonly committedLeaderEpoch: number
  readonly committedMetadata: string | null
}

/** What OffsetCommit or TxnOffsetCommit asks, its topics known to exist. */
export interface OffsetCommit extends Committer {
  /** How long the offsets are to be kept; −1: as configured (G-32). */
  readonly retentionTimeMs: number
  readonly topics: readonly {
    readonly name: string
    readonly topicId: string
    readonly partitions: readonly CommitPartition[]
  }[]
  /** Nobody sees these offsets before the transaction's marker (G-40). */
  readonly transaction?: ShardTransaction
}

export interface OffsetTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[]
}

/** G-30…G-32. Offsets are not compared with any log. @throws {KafkaError} as `validateCommit` does */
export function decideCommit(
  state: GroupState,
  environment: GroupEnvironment,
  commit: OffsetCommit,
): ShardDecision<GroupRecordInput, readonly OffsetTopic[]> {
  const { topics } = commit
  const transaction = environment.mutants.has('offsets-outside-transactions') ? undefined : commit.transaction
  if (!environment.mutants.has('no-offset-commit-fencing')) validateCommit(state, commit, partitionsOf(topics))
  // Kafka counts UTF-16 units, whatever the name of the configuration says.
  const longestMetadata = environment.config()['offset.metadata.max.bytes']
  const now = environment.runtime.now()
  const records: GroupRecordInput[] = []
  const response = topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map(asked => {
      const { partitionIndex, committedMetadata } = asked
      if ((committedMetadata?.length ?? 0) > longestMetadata) {
        return { partitionIndex, errorCode: errorCodes.OFFSET_METADATA_TOO_LARGE }
      }
      records.push(recordOf(commit, name, topicId, asked, now))
      return { partitionIndex, errorCode: errorCodes.NONE }
    }),
  }))
  return { records, response, ...(transaction === undefined ? {} : { transaction }) }
}

/** With the topic's id, unless a transaction commits it (G-42). */
function recordOf(
  { groupId, retentionTimeMs, transaction }: OffsetCommit,
  topic: string,
  topicId: string,
  { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }: CommitPartition,
  now: number,
): GroupRecordInput {
  return {
    type: 'OffsetCommit',
    key: { group: groupId, topic, partition: partitionIndex },
    value: {
      offset: committedOffset,
      leaderEpoch: committedLeaderEpoch,
      metadata: committedMetadata ?? '',
      commitTimestamp: now,
      ...(retentionTimeMs === -1 ? {} : { expireTimestamp: Math.min(now + retentionTimeMs, Number.MAX_SAFE_INTEGER) }),
      ...(transaction === undefined ? { topicId } : {}),
    },
  }
}

function* partitionsOf(topics: OffsetCommit['topics']): Generator<{ topicId: string; partition: number }> {
  for (const { topicId, partitions } of topics) {
    for (const { partitionIndex: partition } of partitions) yield { topicId, partition }
  }
}

import type { TransactionMarker } from '../../wire/control-record.ts'
import type { RecordPlace, ShardState } from '../shard.ts'
import type { ClassicGroup } from './classic/classic-group.ts'
import { replayGroupMetadata } from './classic/classic-replay.ts'
import type { ConsumerGroup } from './consumer/consumer-group.ts'
import {
  replayCurrentAssignment,
  replayGroupEpoch,
  replayMember,
  replayRegularExpression,
  replayTargetAssignment,
  replayTargetEpoch,
} from './consumer/consumer-replay.ts'
import type { GroupRecord } from './group-records.ts'
import { CommittedOffsets } from './offsets/committed-offsets.ts'
import { replayOffset } from './offsets/offset-replay.ts'

export type Group = ClassicGroup | ConsumerGroup

type Replay<T extends GroupRecord['type']> = (
  state: GroupState,
  key: Extract<GroupRecord, { type: T }>['key'],
  value: Extract<GroupRecord, { type: T }>['value'],
  place: RecordPlace,
) => void

const replays: { readonly [T in GroupRecord['type']]: Replay<T> } = {
  LegacyOffsetCommit: replayOffset,
  OffsetCommit: replayOffset,
  GroupMetadata: replayGroupMetadata,
  ConsumerGroupMetadata: replayGroupEpoch,
  // Written by brokers of 4.0, and deleted ever since: what it said is looked up in the metadata log now.
  ConsumerGroupPartitionMetadata: () => undefined,
  ConsumerGroupMemberMetadata: replayMember,
  ConsumerGroupTargetAssignmentMetadata: replayTargetEpoch,
  ConsumerGroupTargetAssignmentMember: replayTargetAssignment,
  ConsumerGroupCurrentMemberAssignment: replayCurrentAssignment,
  ConsumerGroupRegularExpression: replayRegularExpression,
}

/** All groups of one partition of `__consumer_offsets`, and what they have committed: what its records add up to. */
export class GroupState implements ShardState<GroupRecord> {
  readonly groups = new Map<string, Group>()
  readonly offsets = new CommittedOffsets()

  replay(record: GroupRecord, place: RecordPlace): void {
    const replay = replays[record.type] as Replay<GroupRecord['type']>
    replay(this, record.key as never, record.value as never, place)
  }

  endTransaction(marker: TransactionMarker): void {
    this.offsets.endTransaction(marker)
  }
}

import type { RecordPlace } from '../../shard.ts'
import { ClassicGroup } from '../classic/classic-group.ts'
import type { GroupRecord } from '../group-records.ts'
import type { GroupState } from '../group-state.ts'

type OffsetRecord = Extract<GroupRecord, { type: 'OffsetCommit' | 'LegacyOffsetCommit' }>

/** An offset, or its tombstone. Who commits without members makes a simple group, of which there is no record (G-42). */
export function replayOffset(
  state: GroupState,
  key: OffsetRecord['key'],
  value: OffsetRecord['value'],
  place: RecordPlace,
): void {
  if (value !== null && !state.groups.has(key.group)) state.groups.set(key.group, new ClassicGroup(key.group))
  state.offsets.replay(key, value, place)
}

import type { RecordPlace } from '../../shard.ts'
import type { GroupRecord } from '../group-records.ts'
import type { GroupState } from '../group-state.ts'
import { ClassicGroup } from './classic-group.ts'

type Metadata = Extract<GroupRecord, { type: 'GroupMetadata' }>

/** G-42: a classic group as it was when it was last written, or none any more. */
export function replayGroupMetadata(
  state: GroupState,
  { group: id }: Metadata['key'],
  value: Metadata['value'],
  { timestamp }: RecordPlace,
): void {
  const known = state.groups.get(id)
  if (value === null) {
    // A group that has changed its type is written under other keys, and this one deleted: in either order.
    if (known?.type !== 'classic') return
    known.become('Dead', timestamp)
    state.groups.delete(id)
    return
  }
  const group = known?.type === 'classic' ? known : new ClassicGroup(id)
  group.replay(value)
  state.groups.set(id, group)
}

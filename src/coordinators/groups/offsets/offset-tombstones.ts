import type { GroupRecordInput } from '../group-records.ts'
import type { OffsetKey } from './offset-table.ts'

export function offsetTombstones(keys: Iterable<OffsetKey>): GroupRecordInput[] {
  return Array.from(keys, key => ({ type: 'OffsetCommit', key, value: null }))
}

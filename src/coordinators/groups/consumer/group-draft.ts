import type { GroupRecordInput } from '../group-records.ts'
import type { Group } from '../group-state.ts'
import { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerRecord } from './consumer-records.ts'
import {
  type Groups,
  replayCurrentAssignment,
  replayGroupEpoch,
  replayMember,
  replayRegularExpression,
  replayTargetAssignment,
  replayTargetEpoch,
} from './consumer-replay.ts'

const replays = {
  ConsumerGroupMetadata: replayGroupEpoch,
  ConsumerGroupMemberMetadata: replayMember,
  ConsumerGroupTargetAssignmentMetadata: replayTargetEpoch,
  ConsumerGroupTargetAssignmentMember: replayTargetAssignment,
  ConsumerGroupCurrentMemberAssignment: replayCurrentAssignment,
  ConsumerGroupRegularExpression: replayRegularExpression,
  ConsumerGroupPartitionMetadata: () => undefined,
} satisfies Record<ConsumerRecord['type'], unknown>

/**
 * A consumer group while something is being decided about it. Each record is replayed at once, into a copy of the group
 * that the first record makes, so that the next step sees what the last one did, by the same code that will replay it for
 * good. Where nothing is to be written, nothing is copied.
 */
export class GroupDraft {
  readonly records: GroupRecordInput[]
  #group: ConsumerGroup
  #copied: boolean

  /** Of a group, or with an id of a new one; `records`: what goes before, such as the end of a classic group. */
  constructor(group: ConsumerGroup | string, records: GroupRecordInput[] = []) {
    this.#copied = typeof group === 'string'
    this.#group = typeof group === 'string' ? new ConsumerGroup(group) : group
    this.records = records
  }

  /** As the records so far have made it. */
  get group(): ConsumerGroup {
    return this.#group
  }

  add(...records: readonly ConsumerRecord[]): void {
    if (records.length === 0) return
    if (!this.#copied) this.#group = this.#group.copy()
    this.#copied = true
    const state: Groups = { groups: new Map<string, Group>([[this.#group.id, this.#group]]) }
    for (const record of records) {
      this.records.push(record)
      const replay = replays[record.type] as (state: Groups, key: unknown, value: unknown) => void
      replay(state, record.key, record.value)
    }
  }

  /** Nothing is decided after this one: it is not replayed here. */
  addLast(record: ConsumerRecord): void {
    this.records.push(record)
  }
}

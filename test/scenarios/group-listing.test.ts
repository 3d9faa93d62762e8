import { expect } from 'vitest'
import { fetch } from '../../src/apis/fetch.ts'
import { listGroups } from '../../src/apis/list-groups.ts'
import { type GroupRecord, groupCodec } from '../../src/coordinators/groups/group-records.ts'
import { partitionFor } from '../../src/coordinators/partition-for.ts'
import { encodeSubscription } from '../../src/wire/consumer-protocol.ts'
import { recordsOf } from '../../src/wire/record.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { Group, nameOf } from './group.ts'
import { commit } from './group-offsets.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'
import { WORLD_CONFIGS } from './world.ts'

story(
  'groups are listed by the broker that coordinates them, by state and type in any case, and described as what they are (G-41, G-4)',
  async world => {
    const topic = await Topic.create(world, [1])
    const [classic, simple] = [await Group.open(world), await Group.open(world)]
    const consumer = await ConsumerGroup.of(world, [topic])
    const [member] = await classic.stable({ topics: [topic.name] })
    await commit(simple, topic, 5)
    await consumer.enter('A')

    const of = [classic, simple, consumer]
    const listed = async (statesFilter: string[], typesFilter: string[], version = 5) => {
      const filters = { ...(version >= 4 ? { statesFilter } : {}), ...(version >= 5 ? { typesFilter } : {}) }
      const answers = []
      for (const broker of [1, 2, 3]) answers.push(await world.request(broker, listGroups, version, filters))
      expect(answers.map(({ errorCode }) => nameOf(errorCode))).toEqual(Array(3).fill('NONE'))
      const rows = answers.flatMap(({ groups }) => groups)
      return of.map(({ name }) => {
        const row = rows.find(({ groupId }) => groupId === name)
        return row === undefined ? '-' : `${row.groupState} ${row.groupType} ${row.protocolType}`.trim()
      })
    }
    const all = ['Stable classic consumer', 'Empty classic', 'Stable consumer consumer']
    expect(await listed([], [])).toEqual(all)
    expect(await listed(['sTABLE'], [])).toEqual([all[0], '-', all[2]])
    expect(await listed(['Empty', 'STABLE'], ['Classic'])).toEqual([all[0], all[1], '-'])
    expect(await listed(['nonsense'], [])).toEqual(['-', '-', '-'])
    expect(await listed([], ['nonsense'])).toEqual(['-', '-', '-'])

    const metadata = encodeSubscription({ topics: [topic.name] }, 1)
    const described = await classic.described()
    const members = described.members.map(each => ({ ...each, metadata: Buffer.from(each.metadata) }))
    expect({ ...described, members }).toEqual({
      error: 'NONE',
      message: null,
      state: 'Stable',
      protocolType: 'consumer',
      protocol: 'range',
      members: [
        {
          memberId: member!.memberId,
          instanceId: null,
          clientId: 'story',
          metadata: Buffer.from(metadata),
          assignment: '0',
        },
      ],
    })
    expect(await simple.described()).toMatchObject({ state: 'Empty', protocolType: '', protocol: '', members: [] })
    // Who asks for the wrong kind is told that there is none.
    expect(await consumer.described()).toMatchObject({ error: 'GROUP_ID_NOT_FOUND', state: 'Dead' })
    expect(await consumer.described(5)).toMatchObject({ error: 'NONE', state: 'Dead' })
    const wrong = await ConsumerGroup.of(world, [topic])
    await commit(wrong, topic, 5)
    expect(await wrong.consumers()).toMatchObject({ error: 'GROUP_ID_NOT_FOUND', members: {} })
  },
)

const OFFSETS_TOPIC = '__consumer_offsets'

/** What is written of a group: kind, version of the value, generation or epoch where it has one; † for a tombstone. */
async function recordsOfGroup(group: Group): Promise<string[]> {
  const index = partitionFor(group.name, WORLD_CONFIGS['offsets.topic.num.partitions'])
  const found: string[] = []
  for (let offset = 0; ; ) {
    const partition = { partition: index, fetchOffset: offset, partitionMaxBytes: 1 << 20, currentLeaderEpoch: -1 }
    const answer = await group.world.request(group.coordinator, fetch, 12, {
      replicaId: -1,
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 1 << 20,
      isolationLevel: 0,
      topics: [{ topic: OFFSETS_TOPIC, partitions: [{ ...partition, lastFetchedEpoch: -1 }] }],
      forgottenTopicsData: [],
      rackId: '',
    })
    const batches = answer.responses[0]!.partitions[0]!.records?.batches() ?? []
    if (batches.length === 0) return found
    offset = batches.at(-1)!.nextOffset
    for (const { key, value } of batches.filter(({ isControl }) => !isControl).flatMap(recordsOf)) {
      const record = groupCodec.decode({ key, value })
      if (record === undefined || groupOf(record) !== group.name) continue
      found.push(`${record.type} ${value === null ? '†' : `v${versionOf(value)}${epochOf(record)}`}`)
    }
  }
}

const groupOf = ({ key }: GroupRecord): string => ('group' in key ? key.group : key.groupId)
const versionOf = (value: Uint8Array) => new DataView(value.buffer, value.byteOffset).getInt16(0)

function epochOf({ value }: GroupRecord): string {
  for (const name of ['generation', 'epoch', 'assignmentEpoch', 'memberEpoch']) {
    if (value !== null && name in value) return ` at ${value[name as keyof typeof value]}`
  }
  return ''
}

story(
  'what happens to a classic group is written to __consumer_offsets in this order, and no more (G-42)',
  async world => {
    const topic = await Topic.create(world, [1])
    const group = await Group.open(world)
    const [member] = await group.stable({})
    await commit(group, topic, 5, member!)
    await group.leave(member!)
    await group.untilState('Empty')
    await group.delete()
    expect(await recordsOfGroup(group)).toEqual([
      'GroupMetadata v3 at 0',
      'GroupMetadata v3 at 1',
      'OffsetCommit v4',
      'GroupMetadata v3 at 2',
      'OffsetCommit †',
      'GroupMetadata †',
    ])
  },
)

story(
  'what happens to a consumer group is written to __consumer_offsets in this order, and no more (G-42)',
  async world => {
    const topic = await Topic.create(world, [1])
    const group = await ConsumerGroup.of(world, [topic])
    await group.enter('A')
    await commit(group, topic, 5, { memberId: 'A', generation: 2 })
    await group.say('A', -1)
    await group.delete()
    expect(await recordsOfGroup(group)).toEqual([
      'ConsumerGroupMemberMetadata v0',
      'ConsumerGroupMetadata v0 at 2',
      'ConsumerGroupTargetAssignmentMember v0',
      'ConsumerGroupTargetAssignmentMetadata v0 at 2',
      'ConsumerGroupCurrentMemberAssignment v0 at 2',
      'OffsetCommit v4',
      'ConsumerGroupCurrentMemberAssignment †',
      'ConsumerGroupTargetAssignmentMember †',
      'ConsumerGroupMemberMetadata †',
      'ConsumerGroupMetadata v0 at 3',
      'OffsetCommit †',
      'ConsumerGroupTargetAssignmentMetadata †',
      'ConsumerGroupPartitionMetadata †',
      'ConsumerGroupMetadata †',
    ])
  },
)

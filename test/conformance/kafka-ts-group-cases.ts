/** Groups of both protocols and what they commit, asked by kafka-ts in every version. */
import { API, API_ERROR, KafkaTSApiError } from 'kafka-ts'
import { expect } from 'vitest'
import type { Cases, KafkaTsWorld } from './kafka-ts-world.ts'

const GROUP = 0
/** Versions that ask for topics by id, from here on. */
const IDS_SINCE = 10
const NO_GENERATION = -1

interface Member {
  readonly groupId: string
  readonly memberId: string
  readonly generationId: number
  readonly groupInstanceId: string | null
  readonly at: number
}

function joinOf(groupId: string, memberId: string, groupInstanceId: string | null) {
  return {
    groupId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId,
    groupInstanceId,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: { version: 0, topics: ['orders'] } }],
    reason: 'conformance',
  }
}

/** Alone in a group, and so its leader. */
async function joined(world: KafkaTsWorld, version = 9, groupInstanceId: string | null = null): Promise<Member> {
  const groupId = world.name('billing')
  const at = await world.coordinator(groupId)
  const join = (memberId: string) => world.ask(API.JOIN_GROUP, version, joinOf(groupId, memberId, groupInstanceId), at)
  let memberId = ''
  if (version >= 4 && groupInstanceId === null) {
    // Who is new gets a name first (KIP-394).
    const refused = await world.refused(API.JOIN_GROUP, version, joinOf(groupId, '', null), at)
    expect(refused).toMatchObject({
      errorCode: API_ERROR.MEMBER_ID_REQUIRED,
      response: { generationId: -1, members: [] },
    })
    memberId = refused.response.memberId!
    expect(memberId).toMatch(/^kafka-ts-[\w-]{36}$/)
  }
  const answer = await join(memberId)
  expect(answer).toMatchObject({
    throttleTimeMs: 0,
    errorCode: 0,
    generationId: 1,
    protocolType: version >= 7 ? 'consumer' : null,
    protocolName: 'range',
    leader: answer.memberId,
    skipAssignment: false,
  })
  expect(answer.members).toMatchObject([
    { memberId: answer.memberId, groupInstanceId: version >= 5 ? groupInstanceId : null },
  ])
  // Its own subscription: version 0, one topic, no data.
  expect(answer.members[0]!.metadata).toEqual(Buffer.from('00000000000100066f726465727300000000', 'hex'))
  if (memberId !== '') expect(answer.memberId).toBe(memberId)
  return { groupId, memberId: answer.memberId!, generationId: 1, groupInstanceId, at }
}

async function synced(world: KafkaTsWorld, version = 5, member?: Member): Promise<Member> {
  const { groupId, memberId, generationId, groupInstanceId, at } = member ?? (await joined(world))
  const answer = await world.ask(
    API.SYNC_GROUP,
    version,
    {
      groupId,
      generationId,
      memberId,
      groupInstanceId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [{ memberId, assignment: { orders: [0, 2] } }],
    },
    at,
  )
  expect(answer).toMatchObject({
    throttleTimeMs: 0,
    errorCode: 0,
    protocolType: version >= 5 ? 'consumer' : null,
    protocolName: version >= 5 ? 'range' : null,
    assignment: { orders: [0, 2] },
  })
  return { groupId, memberId, generationId, groupInstanceId, at }
}

const committed = (topic: { name: string; id: string }, partitionIndex: number, committedOffset: bigint) => ({
  name: topic.name,
  topicId: topic.id,
  partitions: [{ partitionIndex, committedOffset, committedLeaderEpoch: 0, committedMetadata: 'half-way' }],
})

/** By nobody in particular: the group has no members. */
const commitOf = (groupId: string, ...topics: ReturnType<typeof committed>[]) => ({
  groupId,
  generationIdOrMemberEpoch: NO_GENERATION,
  memberId: '',
  groupInstanceId: null,
  topics,
})

const called = (topic: { name: string; id: string }, version: number) =>
  version >= IDS_SINCE ? { topicId: topic.id } : { name: topic.name }

export const groupCases: Cases = {
  async FindCoordinator(world, version) {
    const groups = [world.name('billing'), world.name('billing')]
    const nodes: number[] = []
    for (const group of groups) nodes.push(await world.coordinator(group))
    const keys = version >= 4 ? groups : groups.slice(0, 1)
    const answer = await world.ask(API.FIND_COORDINATOR, version, { keyType: GROUP, keys }, 2)
    expect(answer.throttleTimeMs).toBe(0)
    expect(answer.coordinators).toMatchObject(
      keys.map((key, i) => {
        const { host, port } = world.cluster.broker(nodes[i]!).address
        return { key: version >= 4 ? key : '', errorCode: 0, nodeId: nodes[i], host, port }
      }),
    )
    if (version === 0) return
    const strange = await world.refused(API.FIND_COORDINATOR, version, { keyType: 9, keys: ['a'] })
    expect(strange.errorCode).toBe(API_ERROR.INVALID_REQUEST)
  },

  async JoinGroup(world, version) {
    await joined(world, version)
    if (version < 5) return
    const { groupId, memberId, at } = await joined(world, version, 'instance-1')
    // A static member that comes back is another one (KIP-345).
    const again = await world.ask(API.JOIN_GROUP, version, joinOf(groupId, '', 'instance-1'), at)
    expect(again.memberId).not.toBe(memberId)
    const fenced = await world.refused(API.JOIN_GROUP, version, joinOf(groupId, memberId, 'instance-1'), at)
    expect(fenced.errorCode).toBe(API_ERROR.FENCED_INSTANCE_ID)
  },

  async SyncGroup(world, version) {
    const member = await synced(world, version, await joined(world, 9, version >= 3 ? 'instance-1' : null))
    const late = { ...member, generationId: 7, protocolType: 'consumer', protocolName: 'range', assignments: [] }
    const refused = await world.refused(API.SYNC_GROUP, version, late, member.at)
    expect(refused).toMatchObject({ errorCode: API_ERROR.ILLEGAL_GENERATION, response: { assignment: {} } })
  },

  async Heartbeat(world, version) {
    const { at, ...member } = await synced(world, 5, await joined(world, 9, version >= 3 ? 'instance-1' : null))
    expect(await world.ask(API.HEARTBEAT, version, member, at)).toMatchObject({ throttleTimeMs: 0, errorCode: 0 })
    const unknown = { ...member, memberId: 'nobody', groupInstanceId: null }
    const refused = await world.refused(API.HEARTBEAT, version, unknown, at)
    expect(refused.errorCode).toBe(API_ERROR.UNKNOWN_MEMBER_ID)
  },

  async LeaveGroup(world, version) {
    const { groupId, memberId, at } = await synced(world)
    const leave = { groupId, members: [{ memberId, groupInstanceId: null, reason: 'done' }] }
    const answer = await world.ask(API.LEAVE_GROUP, version, leave, at)
    const left = version >= 3 ? [{ memberId, groupInstanceId: null, errorCode: 0 }] : []
    expect(answer).toMatchObject({ throttleTimeMs: 0, errorCode: 0, members: left })
    expect(world.cluster.group(groupId).members).toEqual([])
    const again = await world.refused(API.LEAVE_GROUP, version, leave, at)
    expect(again.errorCode).toBe(API_ERROR.UNKNOWN_MEMBER_ID)
  },

  async OffsetCommit(world, version) {
    const [orders, audit] = [await world.topic(2), await world.topic()]
    const groupId = world.name('billing')
    const at = await world.coordinator(groupId)
    const commit = commitOf(groupId, committed(orders, 1, 42n), committed(audit, 0, 7n))
    const answer = await world.ask(API.OFFSET_COMMIT, version, commit, at)
    expect(answer.throttleTimeMs).toBe(0)
    expect(answer.topics).toMatchObject([
      { ...called(orders, version), partitions: [{ partitionIndex: 1, errorCode: 0 }] },
      { ...called(audit, version), partitions: [{ partitionIndex: 0, errorCode: 0 }] },
    ])
    expect(await offsetsOf(world, groupId, [orders, 1], [audit, 0])).toEqual([42n, 7n])
    const { memberId, generationId, ...member } = await synced(world)
    const stale = { ...commitOf(member.groupId, committed(orders, 1, 1n)), memberId, generationIdOrMemberEpoch: 9 }
    const refused = await world.refused(API.OFFSET_COMMIT, version, stale, member.at)
    expect(refused.errorCode).toBe(API_ERROR.ILLEGAL_GENERATION)
    const ours = { ...stale, generationIdOrMemberEpoch: generationId }
    await world.ask(API.OFFSET_COMMIT, version, ours, member.at)
    expect(await offsetsOf(world, member.groupId, [orders, 1])).toEqual([1n])
  },

  async OffsetFetch(world, version) {
    const topic = await world.topic(2)
    const groupId = world.name('billing')
    const at = await world.coordinator(groupId)
    await world.ask(API.OFFSET_COMMIT, 10, commitOf(groupId, committed(topic, 1, 42n)), at)
    const ask = (topics: { name: string; topicId: string; partitionIndexes: number[] }[] | null) => ({
      groups: [{ groupId, memberId: null, memberEpoch: -1, topics: topics as never }],
      requireStable: version >= 7,
    })
    const both = [{ name: topic.name, topicId: topic.id, partitionIndexes: [0, 1] }]
    const answer = await world.ask(API.OFFSET_FETCH, version, ask(both), at)
    expect(answer).toMatchObject({
      throttleTimeMs: 0,
      groups: [{ groupId: version >= 8 ? groupId : '', errorCode: 0 }],
    })
    const half = {
      partitionIndex: 1,
      committedOffset: 42n,
      committedLeaderEpoch: version >= 5 ? 0 : -1,
      committedMetadata: 'half-way',
      errorCode: 0,
    }
    const none = {
      partitionIndex: 0,
      committedOffset: -1n,
      committedLeaderEpoch: -1,
      committedMetadata: '',
      errorCode: 0,
    }
    expect(answer.groups[0]!.topics).toMatchObject([{ ...called(topic, version), partitions: [none, half] }])
    // All that there is.
    if (version < 2) return
    const all = await world.ask(API.OFFSET_FETCH, version, ask(null), at)
    expect(all.groups[0]!.topics).toMatchObject([{ ...called(topic, version), partitions: [half] }])
  },

  async OffsetDelete(world, version) {
    const topic = await world.topic(2)
    const groupId = world.name('billing')
    const at = await world.coordinator(groupId)
    await world.ask(API.OFFSET_COMMIT, 10, commitOf(groupId, committed(topic, 0, 1n), committed(topic, 1, 2n)), at)
    const topics = [{ name: topic.name, partitions: [{ partitionIndex: 0 }] }]
    expect(await world.ask(API.OFFSET_DELETE, version, { groupId, topics }, at)).toMatchObject({
      throttleTimeMs: 0,
      errorCode: 0,
      topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, errorCode: 0 }] }],
    })
    expect(await offsetsOf(world, groupId, [topic, 0], [topic, 1])).toEqual([-1n, 2n])
    const nobody = { groupId: world.name('nobody'), topics }
    const refused = await world.refused(API.OFFSET_DELETE, version, nobody, await world.coordinator(nobody.groupId))
    expect(refused.errorCode).toBe(API_ERROR.GROUP_ID_NOT_FOUND)
  },

  async DescribeGroups(world, version) {
    const { groupId, memberId, at } = await synced(world, 5, await joined(world, 9, 'instance-1'))
    const ask = { groups: [groupId], includeAuthorizedOperations: false }
    const answer = await world.ask(API.DESCRIBE_GROUPS, version, ask, at)
    expect(answer).toMatchObject({
      throttleTimeMs: 0,
      groups: [
        {
          errorCode: 0,
          groupId,
          groupState: 'Stable',
          protocolType: 'consumer',
          protocolData: 'range',
          members: [
            {
              memberId,
              groupInstanceId: version >= 4 ? 'instance-1' : null,
              clientId: 'kafka-ts',
              clientHost: '/127.0.0.1',
              memberAssignment: Buffer.from('00000000000100066f7264657273000000020000000000000002' + '00000000', 'hex'),
            },
          ],
          authorizedOperations: -2147483648,
        },
      ],
    })
    const nobody = { groups: [world.name('nobody')], includeAuthorizedOperations: false }
    const dead = () =>
      world.coordinator(nobody.groups[0]!).then(at => world.ask(API.DESCRIBE_GROUPS, version, nobody, at))
    if (version < 6) expect((await dead()).groups).toMatchObject([{ groupState: 'Dead', members: [] }])
    else await expect(dead()).rejects.toThrow(KafkaTSApiError)
  },

  async ListGroups(world, version) {
    const { groupId, at } = await synced(world)
    const answer = await world.ask(API.LIST_GROUPS, version, { statesFilter: [], typesFilter: [] }, at)
    expect(answer).toMatchObject({ throttleTimeMs: 0, errorCode: 0 })
    expect(answer.groups.find(group => group.groupId === groupId)).toMatchObject({
      protocolType: 'consumer',
      groupState: version >= 4 ? 'Stable' : '',
      groupType: version >= 5 ? 'classic' : '',
    })
    const empty = { statesFilter: version >= 4 ? ['Empty'] : [], typesFilter: version >= 5 ? ['consumer'] : [] }
    const others = await world.ask(API.LIST_GROUPS, version, empty, at)
    expect(others.groups.some(group => group.groupId === groupId)).toBe(version < 4)
  },

  async DeleteGroups(world, version) {
    const topic = await world.topic()
    const groupId = world.name('billing')
    const at = await world.coordinator(groupId)
    await world.ask(API.OFFSET_COMMIT, 10, commitOf(groupId, committed(topic, 0, 1n)), at)
    const ask = { groupsNames: [groupId] }
    expect(await world.ask(API.DELETE_GROUPS, version, ask, at)).toMatchObject({
      throttleTimeMs: 0,
      results: [{ groupId, errorCode: 0 }],
    })
    const again = await world.refused(API.DELETE_GROUPS, version, ask, at)
    expect(again.errorCode).toBe(API_ERROR.GROUP_ID_NOT_FOUND)
    const member = await synced(world)
    const busy = await world.refused(API.DELETE_GROUPS, version, { groupsNames: [member.groupId] }, member.at)
    expect(busy.errorCode).toBe(API_ERROR.NON_EMPTY_GROUP)
  },

  async ConsumerGroupHeartbeat(world, version) {
    const topic = await world.topic(2)
    const member = await consuming(world, version, topic)
    expect(member.assignment).toMatchObject({ topicPartitions: [{ topicId: topic.id, partitions: [0, 1] }] })
    const { at, groupId, memberId } = member
    const leaving = { ...heartbeatOf(groupId, memberId, -1), subscribedTopicNames: null, topicPartitions: null }
    expect(await world.ask(API.CONSUMER_GROUP_HEARTBEAT, version, leaving, at)).toMatchObject({
      errorCode: 0,
      memberId,
      memberEpoch: -1,
      assignment: null,
    })
    const gone = await world.refused(API.CONSUMER_GROUP_HEARTBEAT, version, heartbeatOf(groupId, memberId, 1), at)
    expect(gone.errorCode).toBe(API_ERROR.UNKNOWN_MEMBER_ID)
  },

  async ConsumerGroupDescribe(world, version) {
    const topic = await world.topic(2)
    const { groupId, memberId, memberEpoch, at } = await consuming(world, 1, topic)
    const ask = { groupIds: [groupId], includeAuthorizedOperations: false }
    const answer = await world.ask(API.CONSUMER_GROUP_DESCRIBE, version, ask, at)
    const target = { topicPartitions: [{ topicId: topic.id, topicName: topic.name, partitions: [0, 1] }] }
    expect(answer).toMatchObject({
      throttleTimeMs: 0,
      groups: [
        {
          errorCode: 0,
          groupId,
          groupEpoch: memberEpoch,
          assignmentEpoch: memberEpoch,
          assignorName: 'uniform',
          members: [
            {
              memberId,
              instanceId: null,
              rackId: null,
              memberEpoch,
              clientId: 'kafka-ts',
              clientHost: '/127.0.0.1',
              subscribedTopicNames: [topic.name],
              targetAssignment: target,
              memberType: version >= 1 ? 1 : -1,
            },
          ],
          authorizedOperations: -2147483648,
        },
      ],
    })
    const nobody = { ...ask, groupIds: [world.name('nobody')] }
    const there = await world.coordinator(nobody.groupIds[0]!)
    const refused = await world.refused(API.CONSUMER_GROUP_DESCRIBE, version, nobody, there)
    expect(refused.errorCode).toBe(API_ERROR.GROUP_ID_NOT_FOUND)
  },
}

const heartbeatOf = (groupId: string, memberId: string, memberEpoch: number) => ({
  groupId,
  memberId,
  memberEpoch,
  instanceId: null,
  rackId: null,
  rebalanceTimeoutMs: 10_000,
  subscribedTopicNames: [] as string[] | null,
  serverAssignor: null,
  topicPartitions: [] as { topicId: string; partitions: number[] }[] | null,
})

/** Alone in a group of the new protocol. */
async function consuming(world: KafkaTsWorld, version: number, topic: { name: string }) {
  const groupId = world.name('billing')
  const at = await world.coordinator(groupId)
  // From v1 on a member names itself.
  const heartbeat = {
    ...heartbeatOf(groupId, version >= 1 ? 'AAAAAAAAAAAAAAAAAAAAAQ' : '', 0),
    subscribedTopicNames: [topic.name],
  }
  const answer = await world.ask(API.CONSUMER_GROUP_HEARTBEAT, version, heartbeat, at)
  expect(answer).toMatchObject({ throttleTimeMs: 0, errorCode: 0, errorMessage: null, heartbeatIntervalMs: 200 })
  if (version >= 1) expect(answer.memberId).toBe('AAAAAAAAAAAAAAAAAAAAAQ')
  expect(answer.memberEpoch).toBeGreaterThan(0)
  return { groupId, at, memberId: answer.memberId!, memberEpoch: answer.memberEpoch, assignment: answer.assignment }
}

/** Committed offsets of partitions; −1: none. */
async function offsetsOf(
  world: KafkaTsWorld,
  groupId: string,
  ...partitions: (readonly [topic: { name: string; id: string }, partition: number])[]
): Promise<bigint[]> {
  const topics = partitions.map(([{ name, id }, partition]) => ({ name, topicId: id, partitionIndexes: [partition] }))
  const ask = { groups: [{ groupId, topics }], requireStable: true }
  const { groups } = await world.ask(API.OFFSET_FETCH, 10, ask, await world.coordinator(groupId))
  return groups[0]!.topics.map(topic => topic.partitions[0]!.committedOffset)
}

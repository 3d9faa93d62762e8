import { readFileSync } from 'node:fs'
import { consumerGroupDescribe } from '../../src/apis/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../../src/apis/consumer-group-heartbeat.ts'
import { deleteGroups } from '../../src/apis/delete-groups.ts'
import { describeGroups } from '../../src/apis/describe-groups.ts'
import { leaveGroup } from '../../src/apis/leave-group.ts'
import { listGroups } from '../../src/apis/list-groups.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { encodeAssignment } from '../../src/wire/consumer-protocol.ts'
import { ask, nameOf } from './asking.ts'
import { beat, type Joining, join, joinAsNew, leave, type Speaking, sync } from './classic-asking.ts'
import { commit, committed, coordinatorOf, offsetDeleted } from './committing.ts'
import { begin, commitOffset } from './transacting.ts'

/** What a running broker answered, state by state: state → request → outcome, and the state right after. */
export type StateTable = Readonly<Record<string, Readonly<Record<string, Row>>>>
interface Row {
  readonly outcome: string
  readonly then: string
}

const tables = JSON.parse(
  readFileSync(new URL('../data/kafka/group-states.json', import.meta.url), 'utf8'),
) as Readonly<Record<'classic' | 'consumer', { readonly states: StateTable }>>

export const classicTable = tables.classic.states
export const consumerTable = tables.consumer.states

/** A group in the state of a row, and who is in it: members that there are not have ids that nobody knows. */
export interface Situation {
  readonly cluster: Cluster
  readonly group: string
  /** Of the members; 0 if there were none. */
  readonly generation: number
  readonly leader: string
  readonly follower: string
}

/** A request of a row: answers its outcome in the words of the table. */
export type Request = (situation: Situation) => Promise<string>

const partitionsOf = (count: number) =>
  encodeAssignment({ assignedPartitions: [{ topic: 't', partitions: Array.from({ length: count }, (_, i) => i) }] })
/** One partition in 21 bytes, two in 25. */
const small = partitionsOf(1)
const large = partitionsOf(2)

// --- setup -----------------------------------------------------------------------------------------------------------

/** Two dynamic members, leader and follower, in generation 2, which nobody has synced. */
async function twoMembers(cluster: Cluster, group: string): Promise<Situation> {
  const first = await joinAsNew(cluster, group)
  await sync(cluster, group, { ...first, assignments: { [first.memberId]: large } })
  const { memberId: follower } = await join(cluster, group)
  const joining = join(cluster, group, { memberId: follower })
  const [leader] = await Promise.all([join(cluster, group, { memberId: first.memberId }), joining])
  return { cluster, group, generation: leader.generation, leader: leader.memberId, follower }
}

async function twoStableMembers(cluster: Cluster, group: string): Promise<Situation> {
  const situation = await twoMembers(cluster, group)
  const { generation, leader, follower } = situation
  await Promise.all([
    sync(cluster, group, { memberId: follower, generation }),
    sync(cluster, group, { memberId: leader, generation, assignments: { [leader]: large, [follower]: small } }),
  ])
  return situation
}

const nobody = { leader: 'A-unknown', follower: 'B-unknown' }

export const classicSetups: Readonly<Record<string, (cluster: Cluster, group: string) => Promise<Situation>>> = {
  'no group': async (cluster, group) => ({ cluster, group, generation: 2, ...nobody }),
  'Empty (only committed offsets)': async (cluster, group) => {
    await commit(cluster, group, { 't-0': 5 })
    return { cluster, group, generation: 0, ...nobody }
  },
  'Empty (members left)': async (cluster, group) => {
    const situation = await twoStableMembers(cluster, group)
    await leave(cluster, group, { memberId: situation.leader }, { memberId: situation.follower })
    return situation
  },
  PreparingRebalance: async (cluster, group) => {
    const situation = await twoStableMembers(cluster, group)
    const { memberId } = await join(cluster, group)
    await answeredWithin(cluster, join(cluster, group, { memberId }), 10)
    return situation
  },
  CompletingRebalance: twoMembers,
  Stable: twoStableMembers,
}

// --- requests --------------------------------------------------------------------------------------------------------

/** Undefined: it waits. */
export async function answeredWithin<T>(cluster: Cluster, asked: Promise<T>, ms = 600): Promise<T | undefined> {
  let answer: T | undefined
  let failure: unknown
  asked.then(
    value => {
      answer = value
    },
    error => {
      failure = error
    },
  )
  await cluster.clock.advance(ms)
  if (failure !== undefined) throw failure
  return answer
}

const WAITS = 'waits (no answer in 600 ms)'

const joins =
  (joining: (situation: Situation) => Joining): Request =>
  async situation => {
    const { cluster, group, generation: before } = situation
    const answer = await answeredWithin(cluster, join(cluster, group, joining(situation)))
    if (answer === undefined) return WAITS
    const { error, generation, leader, memberId } = answer
    if (error !== 'NONE') return error
    // Counted from the generation of the members that were there; on its own where there was no group.
    const counted = situation.leader === nobody.leader && before > 0 ? generation : `+${generation - before}`
    return `NONE generation ${counted} ${leader === memberId ? 'leader' : 'follower'}`
  }

const syncs =
  (syncing: (situation: Situation) => Parameters<typeof sync>[2]): Request =>
  async situation => {
    const { cluster, group } = situation
    const answer = await answeredWithin(cluster, sync(cluster, group, syncing(situation)))
    if (answer === undefined) return WAITS
    const { error } = answer
    return error === 'NONE' ? `NONE assignment ${answer.answer.assignment.length} bytes` : error
  }

const beats =
  (speaking: (situation: Situation) => Speaking): Request =>
  situation =>
    beat(situation.cluster, situation.group, speaking(situation))

const leaves =
  (leaving: (situation: Situation) => Parameters<typeof leave>[2]): Request =>
  async situation => {
    const [error, member] = await leave(situation.cluster, situation.group, leaving(situation)!)
    return `${error}, member: ${member}`
  }

const transactionCommits =
  (committing: (situation: Situation) => Parameters<typeof commitOffset>[3]): Request =>
  async situation => {
    const producer = await begin(situation.cluster, `in ${situation.group}`)
    return commitOffset(producer, situation.group, 9, committing(situation))
  }

const commits =
  (committing: (situation: Situation) => Parameters<typeof commit>[3]): Request =>
  async situation =>
    (await commit(situation.cluster, situation.group, { 't-1': 9 }, committing(situation)))['t-1']!

const fetches =
  (asking: (situation: Situation) => Parameters<typeof committed>[2]): Request =>
  async situation => {
    const found = await committed(situation.cluster, situation.group, asking(situation))
    if (typeof found === 'string') return found
    const offsets = Object.entries(found).map(([partition, [offset]]) => `${partition} offset ${offset}`)
    return `NONE, ${offsets.length === 0 ? 'nothing' : offsets.join(', ')}`
  }

const describes =
  (version: number): Request =>
  async ({ cluster, group }) => {
    const answer = await ask(cluster, coordinatorOf(cluster, group), describeGroups, { groups: [group] }, version)
    const { errorCode, groupState, protocolType, protocolData, members } = answer.groups[0]!
    return `${nameOf(errorCode)} state ${groupState} protocolType '${protocolType}' protocol '${protocolData}' members ${members.length}`
  }

const deletesOffset =
  (topic: string): Request =>
  ({ cluster, group }) =>
    offsetDeleted(cluster, group, topic)

const heartbeats =
  (memberEpoch: number): Request =>
  async ({ cluster, group }) => {
    const answer = await ask(cluster, coordinatorOf(cluster, group), consumerGroupHeartbeat, {
      groupId: group,
      memberId: 'AAAAAAAAAAAAAAAAAAAAAQ',
      memberEpoch,
      ...(memberEpoch === 0 ? { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['t'], topicPartitions: [] } : {}),
    })
    const { errorCode, errorMessage } = answer
    if (errorCode === 0) return `NONE epoch ${answer.memberEpoch}`
    return `${nameOf(errorCode)} "${errorMessage?.replace(group, 'G')}"`
  }

const follower = ({ follower: memberId, generation }: Situation) => ({ memberId, generation })

/** Every request of the classic table but those of share groups, by its name there. */
export const classicRequests: Readonly<Record<string, Request>> = {
  'JoinGroup v9, empty member id': joins(() => ({})),
  'JoinGroup v9, empty member id, instance id': joins(() => ({ instanceId: 'i' })),
  'JoinGroup v3, empty member id': joins(() => ({ version: 3 })),
  'JoinGroup, leader, same protocols': joins(({ leader }) => ({ memberId: leader })),
  'JoinGroup, follower, same protocols': joins(({ follower: memberId }) => ({ memberId })),
  'JoinGroup, follower, changed subscription': joins(({ follower: memberId }) => ({ memberId, topics: ['t', 'u'] })),
  'JoinGroup, unknown member id': joins(() => ({ memberId: 'nobody' })),
  'JoinGroup, unknown member id, instance id': joins(() => ({ memberId: 'nobody', instanceId: 'i' })),
  'JoinGroup, other protocol type': joins(() => ({ protocolType: 'connect' })),
  'JoinGroup, no common protocol': joins(() => ({ protocols: ['other'] })),
  'JoinGroup, no protocols': joins(() => ({ protocols: [] })),
  'SyncGroup, leader with assignments': syncs(({ leader, follower: other, generation }) => ({
    memberId: leader,
    generation,
    assignments: { [leader]: small, [other]: small },
  })),
  'SyncGroup, follower': syncs(follower),
  'SyncGroup, follower with assignments': syncs(situation => ({
    ...follower(situation),
    assignments: { [situation.follower]: large },
  })),
  'SyncGroup, generation - 1': syncs(({ follower: memberId, generation }) => ({
    memberId,
    generation: generation - 1,
  })),
  'SyncGroup, generation + 1': syncs(({ follower: memberId, generation }) => ({
    memberId,
    generation: generation + 1,
  })),
  'SyncGroup, unknown member': syncs(({ generation }) => ({ memberId: 'nobody', generation })),
  'SyncGroup, other protocol name': syncs(situation => ({ ...follower(situation), protocol: 'other' })),
  'SyncGroup, other protocol type': syncs(situation => ({ ...follower(situation), protocolType: 'connect' })),
  'Heartbeat, member and generation': beats(follower),
  'Heartbeat, generation - 1': beats(({ follower: memberId, generation }) => ({
    memberId,
    generation: generation - 1,
  })),
  'Heartbeat, generation + 1': beats(({ follower: memberId, generation }) => ({
    memberId,
    generation: generation + 1,
  })),
  'Heartbeat, unknown member': beats(({ generation }) => ({ memberId: 'nobody', generation })),
  'Heartbeat, unknown member, generation -1': beats(() => ({ memberId: 'nobody', generation: -1 })),
  'TxnOffsetCommit v5, member and generation': transactionCommits(follower),
  'TxnOffsetCommit v5, generation - 1': transactionCommits(({ follower: memberId, generation }) => ({
    memberId,
    generation: generation - 1,
  })),
  'TxnOffsetCommit v5, unknown member': transactionCommits(({ generation }) => ({ memberId: 'nobody', generation })),
  'TxnOffsetCommit v5, no member, generation -1': transactionCommits(() => ({})),
  'OffsetCommit v9, member and generation': commits(follower),
  'OffsetCommit v8, member and generation': commits(situation => ({ ...follower(situation), version: 8 })),
  'OffsetCommit, generation - 1': commits(({ follower: memberId, generation }) => ({
    memberId,
    generation: generation - 1,
  })),
  'OffsetCommit, generation + 1': commits(({ follower: memberId, generation }) => ({
    memberId,
    generation: generation + 1,
  })),
  'OffsetCommit, unknown member': commits(({ generation }) => ({ memberId: 'nobody', generation })),
  'OffsetCommit, generation -1, empty member (admin)': commits(() => ({})),
  'OffsetCommit, generation -1, known member': commits(({ follower: memberId }) => ({ memberId })),
  'OffsetFetch v9, all': fetches(() => ({})),
  'OffsetFetch v9, member id and generation': fetches(follower),
  'OffsetFetch v9, unknown member': fetches(({ generation }) => ({ memberId: 'nobody', generation })),
  'LeaveGroup, follower': leaves(({ follower: memberId }) => ({ memberId })),
  'LeaveGroup, unknown member': leaves(() => ({ memberId: 'nobody' })),
  'LeaveGroup v2, unknown member': async ({ cluster, group }) => {
    const body = { groupId: group, memberId: 'nobody' }
    return nameOf((await ask(cluster, coordinatorOf(cluster, group), leaveGroup, body, 2)).errorCode)
  },
  'LeaveGroup, unknown instance id': leaves(() => ({ instanceId: 'nobody' })),
  'DescribeGroups v6': describes(6),
  'DescribeGroups v5': describes(5),
  'ListGroups v5': async situation => {
    const listed = await listedGroup(situation)
    return listed === undefined ? '[]' : `[('${listed.groupType}', '${listed.groupState}', '${listed.protocolType}')]`
  },
  ConsumerGroupDescribe: async ({ cluster, group }) => {
    const body = { groupIds: [group], includeAuthorizedOperations: false }
    const answer = await ask(cluster, coordinatorOf(cluster, group), consumerGroupDescribe, body)
    const { errorCode, errorMessage } = answer.groups[0]!
    return `${nameOf(errorCode)} "${errorMessage?.replace(group, 'G')}"`
  },
  DeleteGroups: async ({ cluster, group }) => {
    const answer = await ask(cluster, coordinatorOf(cluster, group), deleteGroups, { groupsNames: [group] })
    return nameOf(answer.results[0]!.errorCode)
  },
  'OffsetDelete, subscribed topic': deletesOffset('t'),
  'OffsetDelete, other topic': deletesOffset('u'),
  'ConsumerGroupHeartbeat, epoch 0 (join)': heartbeats(0),
  'ConsumerGroupHeartbeat, epoch 3, unknown member': heartbeats(3),
}

export async function listedGroup({ cluster, group }: Pick<Situation, 'cluster' | 'group'>) {
  const answer = await ask(cluster, coordinatorOf(cluster, group), listGroups, {}, 5)
  return answer.groups.find(({ groupId }) => groupId === group)
}

/** In the words of the table: `Stable`, `consumer Reconciling`, `no group`. */
export async function stateAfter(situation: Pick<Situation, 'cluster' | 'group'>): Promise<string> {
  const listed = await listedGroup(situation)
  if (listed === undefined) return 'no group'
  return listed.groupType === 'classic' ? listed.groupState : `${listed.groupType} ${listed.groupState}`
}

import { deleteGroups } from '../../src/apis/delete-groups.ts'
import { describeGroups } from '../../src/apis/describe-groups.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { ask, nameOf } from './asking.ts'
import { beat, join, leave, sync } from './classic-asking.ts'
import { commit, committed, coordinatorOf, offsetDeleted } from './committing.ts'
import { describeConsumers, type Heard, heartbeat, joinConsumers, type Saying } from './consumer-asking.ts'
import { listedGroup } from './group-states.ts'
import { begin, commitOffset } from './transacting.ts'

/** A group in the state of a row; its member A, or who would be, has this epoch. */
export interface ConsumerSituation {
  readonly cluster: Cluster
  readonly group: string
  readonly epoch: number
}

/** A request of a row: answers its outcome in the words of the table. */
type Request = (situation: ConsumerSituation) => Promise<string>

export const TOPIC = 'k1'
const everything = { [TOPIC]: [0, 1, 2, 3] }

const joins = (cluster: Cluster, group: string, memberId: string, saying: Partial<Saying> = {}) =>
  joinConsumers(cluster, group, memberId, { topics: [TOPIC], ...saying })

async function twoMembers(cluster: Cluster, group: string): Promise<ConsumerSituation> {
  await joins(cluster, group, 'A')
  await joins(cluster, group, 'B')
  return { cluster, group, epoch: 2 }
}

async function toldToRevoke(cluster: Cluster, group: string): Promise<ConsumerSituation> {
  const situation = await twoMembers(cluster, group)
  await cluster.clock.advance(1000)
  await heartbeat(cluster, group, 'B', { epoch: 2 })
  await heartbeat(cluster, group, 'A', { epoch: 2, owned: everything })
  return situation
}

export const consumerSetups: Readonly<Record<string, (cluster: Cluster, group: string) => Promise<ConsumerSituation>>> =
  {
    'no group': async (cluster, group) => ({ cluster, group, epoch: 2 }),
    Empty: async (cluster, group) => {
      await joins(cluster, group, 'A')
      await heartbeat(cluster, group, 'A', { epoch: -1 })
      return { cluster, group, epoch: 2 }
    },
    'Assigning (within the assignment interval)': twoMembers,
    'Reconciling (member told to revoke)': toldToRevoke,
    'Reconciling (another member still unreleased)': async (cluster, group) => {
      await toldToRevoke(cluster, group)
      await heartbeat(cluster, group, 'A', { epoch: 2, owned: { [TOPIC]: [0, 1] } })
      return { cluster, group, epoch: 3 }
    },
    'Stable (member at the target epoch)': async (cluster, group) => {
      await joins(cluster, group, 'A')
      return { cluster, group, epoch: 2 }
    },
  }

function told({ error, epoch, assignment }: Heard): string {
  if (error !== 'NONE') return error
  if (assignment === null) return `NONE epoch ${epoch}`
  const topics = Object.entries(assignment).map(([topic, partitions]) => `${topic} [${partitions.join(', ')}]`)
  return `NONE epoch ${epoch} assignment ${topics.length === 0 ? 'empty' : topics.join(' ')}`
}

const beats =
  (memberId: string, saying: (situation: ConsumerSituation) => Saying): Request =>
  async situation =>
    told(await heartbeat(situation.cluster, situation.group, memberId, saying(situation)))

const begins =
  (memberId: string, saying: Partial<Saying> = {}): Request =>
  async ({ cluster, group }) =>
    told(await joins(cluster, group, memberId, saying))

const classicJoins =
  (joining: Parameters<typeof join>[2]): Request =>
  async ({ cluster, group }) =>
    (await join(cluster, group, { topics: [TOPIC], ...joining })).error

interface Committer {
  readonly memberId?: string
  readonly generation?: number
  readonly version?: number
}

const transactionCommits =
  (committer: (situation: ConsumerSituation) => Committer): Request =>
  async situation => {
    const producer = await begin(situation.cluster, `in ${situation.group}`)
    return commitOffset(producer, situation.group, 9, { topic: TOPIC, ...committer(situation) })
  }

const commits =
  (committer: (situation: ConsumerSituation) => Committer): Request =>
  async situation =>
    (await commit(situation.cluster, situation.group, { [`${TOPIC}-0`]: 9 }, committer(situation)))[`${TOPIC}-0`]!

const fetches =
  (committer: (situation: ConsumerSituation) => Committer): Request =>
  async situation => {
    const found = await committed(situation.cluster, situation.group, committer(situation))
    return typeof found === 'string' ? found : 'NONE'
  }

const deletesOffset =
  (topic: string): Request =>
  ({ cluster, group }) =>
    offsetDeleted(cluster, group, topic)

const describesClassic =
  (version: number): Request =>
  async ({ cluster, group }) => {
    const answer = await ask(cluster, coordinatorOf(cluster, group), describeGroups, { groups: [group] }, version)
    return `${nameOf(answer.groups[0]!.errorCode)} ${answer.groups[0]!.groupState}`
  }

const memberA = (step: number) => (situation: ConsumerSituation) => ({
  memberId: 'A',
  generation: situation.epoch + step,
})
const nobody = ({ epoch }: ConsumerSituation) => ({ memberId: 'nobody', generation: epoch })

/** Every request of the consumer table but those of share groups, by its name there. */
export const consumerRequests: Readonly<Record<string, Request>> = {
  'ConsumerGroupHeartbeat epoch 0, new member': begins('N'),
  'ConsumerGroupHeartbeat epoch 0, known member': begins('A'),
  'ConsumerGroupHeartbeat current epoch, no owned list': beats('A', ({ epoch }) => ({ epoch })),
  'ConsumerGroupHeartbeat previous epoch, owned list a subset of the assignment': beats('A', ({ epoch }) => ({
    epoch: epoch - 1,
    owned: { [TOPIC]: [0, 1] },
  })),
  'ConsumerGroupHeartbeat previous epoch, no owned list': beats('A', ({ epoch }) => ({ epoch: epoch - 1 })),
  'ConsumerGroupHeartbeat epoch+1': beats('A', ({ epoch }) => ({ epoch: epoch + 1 })),
  'ConsumerGroupHeartbeat unknown member': beats('nobody', ({ epoch }) => ({ epoch })),
  'ConsumerGroupHeartbeat epoch -1, known member': beats('A', () => ({ epoch: -1 })),
  'ConsumerGroupHeartbeat epoch -1, unknown member': beats('nobody', () => ({ epoch: -1 })),
  'ConsumerGroupHeartbeat epoch -2, dynamic member': beats('A', () => ({ epoch: -2 })),
  'ConsumerGroupHeartbeat epoch -2, unknown instance id': beats('A', () => ({ epoch: -2, instanceId: 'nobody' })),
  'ConsumerGroupHeartbeat epoch 0, same static instance (none there)': begins('S', { instanceId: 'i' }),
  'JoinGroup v9 (classic), empty member id': classicJoins({}),
  'JoinGroup v9 (classic), protocol type connect': classicJoins({ protocolType: 'connect' }),
  'JoinGroup v9 (classic), id of a consumer member': classicJoins({ memberId: 'A' }),
  'SyncGroup (classic), id of a consumer member': async ({ cluster, group, epoch }) =>
    (await sync(cluster, group, { memberId: 'A', generation: epoch })).error,
  'Heartbeat (classic), id of a consumer member': ({ cluster, group, epoch }) =>
    beat(cluster, group, { memberId: 'A', generation: epoch }),
  'LeaveGroup (classic), id of a consumer member': async ({ cluster, group }) => {
    const [error, member] = await leave(cluster, group, { memberId: 'A' })
    return `${error}, member: ${member}`
  },
  'TxnOffsetCommit v5 member, epoch': transactionCommits(memberA(0)),
  'TxnOffsetCommit v5 member, epoch-1': transactionCommits(memberA(-1)),
  'TxnOffsetCommit v5 unknown member': transactionCommits(nobody),
  'TxnOffsetCommit v5 no member, -1': transactionCommits(() => ({})),
  'OffsetCommit v9 member, epoch': commits(memberA(0)),
  'OffsetCommit v9 member, epoch-1': commits(memberA(-1)),
  'OffsetCommit v9 member, epoch+1': commits(memberA(1)),
  'OffsetCommit v9 unknown member': commits(nobody),
  'OffsetCommit v9 no member, -1 (admin)': commits(() => ({})),
  'OffsetCommit v8 member, epoch': commits(situation => ({ ...memberA(0)(situation), version: 8 })),
  'OffsetFetch v9 member, epoch': fetches(memberA(0)),
  'OffsetFetch v9 member, epoch-1': fetches(memberA(-1)),
  'OffsetFetch v9 unknown member': fetches(nobody),
  'OffsetFetch v9 no member': fetches(() => ({})),
  DeleteGroups: async ({ cluster, group }) => {
    const answer = await ask(cluster, coordinatorOf(cluster, group), deleteGroups, { groupsNames: [group] })
    return nameOf(answer.results[0]!.errorCode)
  },
  'OffsetDelete subscribed topic': deletesOffset(TOPIC),
  'OffsetDelete other topic': deletesOffset('k2'),
  'DescribeGroups v6 (classic)': describesClassic(6),
  'DescribeGroups v5 (classic)': describesClassic(5),
  ConsumerGroupDescribe: async ({ cluster, group }) => {
    const { error, state } = await describeConsumers(cluster, group)
    return `${error} ${state}`
  },
}

/** In the words of the table: `Stable`, `classic Empty`, `no group`. */
export async function consumerStateAfter(situation: ConsumerSituation): Promise<string> {
  const listed = await listedGroup(situation)
  if (listed === undefined) return 'no group'
  return listed.groupType === 'consumer' ? listed.groupState : `${listed.groupType} ${listed.groupState}`
}

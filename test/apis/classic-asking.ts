import { describeGroups } from '../../src/apis/describe-groups.ts'
import { heartbeat } from '../../src/apis/heartbeat.ts'
import { joinGroup } from '../../src/apis/join-group.ts'
import { leaveGroup } from '../../src/apis/leave-group.ts'
import { syncGroup } from '../../src/apis/sync-group.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import type { ResponseOf } from '../../src/wire/api.ts'
import { encodeSubscription } from '../../src/wire/consumer-protocol.ts'
import { ask, nameOf } from './asking.ts'
import { coordinatorOf } from './committing.ts'

/** What somebody says of itself in JoinGroup. */
export interface Joining {
  readonly memberId?: string
  readonly instanceId?: string
  readonly protocolType?: string
  /** What it offers, in its order; each with the same metadata unless that is said as `name=text`. */
  readonly protocols?: readonly string[]
  readonly topics?: readonly string[]
  readonly metadata?: Uint8Array
  readonly sessionMs?: number
  readonly rebalanceMs?: number
  readonly version?: number
  /** The group's coordinator unless said. */
  readonly to?: number
}

export interface Joined {
  readonly error: string
  readonly memberId: string
  readonly generation: number
  readonly leader: string
  readonly protocol: string | null
  readonly members: readonly string[]
  readonly answer: ResponseOf<typeof joinGroup>
}

/** One JoinGroup, answered when it is: drives time until then. */
export async function join(cluster: Cluster, group: string, joining: Joining = {}): Promise<Joined> {
  const { memberId = '', instanceId, protocolType = 'consumer', protocols = ['range'], version = 9 } = joining
  const { topics = ['t'], metadata = encodeSubscription({ topics: [...topics] }, 1), sessionMs = 10_000 } = joining
  const { rebalanceMs = 60_000, to = coordinatorOf(cluster, group) } = joining
  const body = {
    groupId: group,
    sessionTimeoutMs: sessionMs,
    rebalanceTimeoutMs: rebalanceMs,
    memberId,
    ...(instanceId === undefined ? {} : { groupInstanceId: instanceId }),
    protocolType,
    protocols: protocols.map(name => ({ name, metadata })),
  }
  const answer = await ask(cluster, to, joinGroup, body, version)
  return {
    error: nameOf(answer.errorCode),
    memberId: answer.memberId,
    generation: answer.generationId,
    leader: answer.leader,
    protocol: answer.protocolName,
    members: answer.members.map(member => member.memberId),
    answer,
  }
}

/** As a client does it: first for an id, then with it. */
export async function joinAsNew(cluster: Cluster, group: string, joining: Joining = {}): Promise<Joined> {
  const first = await join(cluster, group, joining)
  return first.error === 'MEMBER_ID_REQUIRED' ? join(cluster, group, { ...joining, memberId: first.memberId }) : first
}

/** Somebody who is known to the group. */
export interface Speaking {
  readonly memberId: string
  readonly generation: number
  readonly instanceId?: string
  readonly version?: number
  readonly to?: number
}

export async function sync(
  cluster: Cluster,
  group: string,
  speaking: Speaking & {
    readonly protocolType?: string
    readonly protocol?: string | null | undefined
    /** Member id → what it is to have. */
    readonly assignments?: Readonly<Record<string, string | Uint8Array>>
  },
): Promise<{ readonly error: string; readonly assignment: string; readonly answer: ResponseOf<typeof syncGroup> }> {
  const { memberId, generation, instanceId, version = 5, to = coordinatorOf(cluster, group) } = speaking
  const { protocolType = 'consumer', protocol = 'range', assignments = {} } = speaking
  const body = {
    groupId: group,
    generationId: generation,
    memberId,
    ...(instanceId === undefined ? {} : { groupInstanceId: instanceId }),
    ...(version >= 5 ? { protocolType, protocolName: protocol ?? 'range' } : {}),
    assignments: Object.entries(assignments).map(([member, given]) => ({
      memberId: member,
      assignment: typeof given === 'string' ? new TextEncoder().encode(given) : given,
    })),
  }
  const answer = await ask(cluster, to, syncGroup, body, version)
  return { error: nameOf(answer.errorCode), assignment: new TextDecoder().decode(answer.assignment), answer }
}

export async function beat(cluster: Cluster, group: string, speaking: Speaking): Promise<string> {
  const { memberId, generation, instanceId, version = 4, to = coordinatorOf(cluster, group) } = speaking
  const instance = instanceId === undefined ? {} : { groupInstanceId: instanceId }
  const body = { groupId: group, generationId: generation, memberId, ...instance }
  return nameOf((await ask(cluster, to, heartbeat, body, version)).errorCode)
}

export interface Leaving {
  readonly memberId?: string
  readonly instanceId?: string
}

/** LeaveGroup v5: the error of each, behind that of the request. */
export async function leave(cluster: Cluster, group: string, ...leaving: readonly Leaving[]): Promise<string[]> {
  const members = leaving.map(({ memberId = '', instanceId = null }) => ({ memberId, groupInstanceId: instanceId }))
  const answer = await ask(cluster, coordinatorOf(cluster, group), leaveGroup, { groupId: group, members }, 5)
  return [answer, ...answer.members].map(({ errorCode }) => nameOf(errorCode))
}

/** DescribeGroups v6. */
export async function described(cluster: Cluster, group: string) {
  const answer = await ask(cluster, coordinatorOf(cluster, group), describeGroups, { groups: [group] }, 6)
  return answer.groups[0]!
}

/** What the group's coordinator says of its state; `no group` where there is none. */
export async function stateOf(cluster: Cluster, group: string): Promise<string> {
  const { errorCode, groupState } = await described(cluster, group)
  return errorCode === 0 ? groupState : 'no group'
}

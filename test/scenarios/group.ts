import { deleteGroups } from '../../src/apis/delete-groups.ts'
import { describeGroups } from '../../src/apis/describe-groups.ts'
import { findCoordinator } from '../../src/apis/find-coordinator.ts'
import { heartbeat } from '../../src/apis/heartbeat.ts'
import { joinGroup } from '../../src/apis/join-group.ts'
import { leaveGroup } from '../../src/apis/leave-group.ts'
import { syncGroup } from '../../src/apis/sync-group.ts'
import { encodeSubscription } from '../../src/wire/consumer-protocol.ts'
import { type ErrorName, errorOf } from '../../src/wire/errors.ts'
import { WORLD_CONFIGS, type World } from './world.ts'

export const nameOf = (code: number): ErrorName => errorOf(code).name as ErrorName

/** How long a group waits for others after its first join, in both worlds. */
export const INITIAL_DELAY_MS = WORLD_CONFIGS['group.initial.rebalance.delay.ms']

/** What somebody says of itself in JoinGroup. */
export interface Joining {
  readonly memberId?: string
  readonly instanceId?: string
  readonly protocolType?: string
  /** What it offers, in its order, each with the same metadata. */
  readonly protocols?: readonly string[]
  readonly topics?: readonly string[]
  readonly metadata?: Uint8Array
  readonly sessionMs?: number
  readonly rebalanceMs?: number
  readonly version?: number
}

export interface Joined {
  readonly error: ErrorName
  readonly memberId: string
  readonly instanceId: string | undefined
  readonly generation: number
  readonly leader: string
  readonly protocol: string | null
  /** Ids, sorted; only a leader gets them. */
  readonly members: readonly string[]
  readonly skipAssignment: boolean
  readonly tookMs: number
}

/** Somebody who is known to the group. */
export interface Speaking {
  readonly memberId: string
  readonly generation: number
  readonly instanceId?: string | undefined
  readonly version?: number
}

export interface Syncing extends Speaking {
  readonly protocolType?: string
  readonly protocol?: string | null
  /** Member id → what it is to have. */
  readonly assignments?: Readonly<Record<string, string | Uint8Array>>
}

export interface Leaving {
  readonly memberId?: string
  readonly instanceId?: string | undefined
}

const utf8 = new TextEncoder()
const text = new TextDecoder()
let counted = 0

/** A group of a story, as its coordinator answers for it: classic members speak for themselves. */
export class Group {
  readonly world: World
  readonly name: string
  /** Whom it asks; `find` looks again. */
  coordinator = -1

  protected constructor(world: World, name: string) {
    this.world = world
    this.name = name
  }

  /** A name that nobody had before, and who coordinates it. */
  static async open(world: World): Promise<Group> {
    const group = new Group(world, `group-${++counted}`)
    await group.find()
    return group
  }

  /** Until somebody says that it is the coordinator, and has loaded what is known of the group. */
  async find(timeoutMs?: number): Promise<number> {
    await this.world.eventually(
      `${this.name} has a coordinator`,
      async () => {
        const { error, coordinator } = await this.lookup()
        if (error !== 'NONE' || !this.world.witnesses.includes(coordinator)) return false
        this.coordinator = coordinator
        const { error: asked } = await this.described()
        return asked === 'NONE' || asked === 'GROUP_ID_NOT_FOUND'
      },
      timeoutMs,
    )
    return this.coordinator
  }

  /** FindCoordinator at one broker. */
  async lookup(at = this.world.witnesses[0]!): Promise<{ error: ErrorName; coordinator: number }> {
    const body = { keyType: 0, coordinatorKeys: [this.name] }
    const [found] = (await this.world.request(at, findCoordinator, 6, body)).coordinators
    return { error: nameOf(found!.errorCode), coordinator: found!.nodeId }
  }

  // --- what members of the classic protocol say ----------------------------------------------------------------------

  /** One JoinGroup, answered when it is. */
  async join(joining: Joining = {}): Promise<Joined> {
    const { memberId = '', instanceId, protocolType = 'consumer', protocols = ['range'], version = 9 } = joining
    const { topics = ['t'], metadata = encodeSubscription({ topics: [...topics] }, 1), sessionMs = 30_000 } = joining
    const { rebalanceMs = 60_000 } = joining
    const startedAt = this.world.now()
    const answer = await this.world.request(this.coordinator, joinGroup, version, {
      groupId: this.name,
      sessionTimeoutMs: sessionMs,
      ...(version >= 1 ? { rebalanceTimeoutMs: rebalanceMs } : {}),
      memberId,
      ...(instanceId === undefined ? {} : { groupInstanceId: instanceId }),
      protocolType,
      protocols: protocols.map(name => ({ name, metadata })),
    })
    return {
      error: nameOf(answer.errorCode),
      memberId: answer.memberId,
      instanceId,
      generation: answer.generationId,
      leader: answer.leader,
      protocol: answer.protocolName,
      members: answer.members.map(member => member.memberId).sort(),
      skipAssignment: answer.skipAssignment,
      tookMs: this.world.now() - startedAt,
    }
  }

  /** An id for a member to be. */
  async newId(joining: Joining = {}): Promise<string> {
    const { error, memberId } = await this.join(joining)
    if (error !== 'MEMBER_ID_REQUIRED') throw new Error(`${this.name}: ${error} where an id was to be had`)
    return memberId
  }

  /** As a client does it: first for an id, then with it. */
  async joinAsNew(joining: Joining = {}): Promise<Joined> {
    return this.join({ ...joining, memberId: await this.newId(joining) })
  }

  /** Members that join together in the group's first generation, the leader first; not synced. */
  async firstGeneration(...members: readonly Joining[]): Promise<Joined[]> {
    const joining: Promise<Joined>[] = []
    const ids: string[] = []
    for (const member of members) ids.push(member.instanceId === undefined ? await this.newId(member) : '')
    for (const [i, member] of members.entries()) {
      joining.push(this.join({ ...member, memberId: ids[i]! }))
      // Who comes first is the leader.
      await this.world.sleep(20)
    }
    return Promise.all(joining)
  }

  /** The same, synced: each has its place in the list, as text: `0`, `1`, … */
  async stable(...members: readonly Joining[]): Promise<Joined[]> {
    const joined = await this.firstGeneration(...members)
    await this.syncAll(joined)
    return joined
  }

  /** The first of them is the leader. */
  async syncAll(members: readonly Joined[]): Promise<void> {
    const assignments = Object.fromEntries(members.map(({ memberId }, i) => [memberId, `${i}`]))
    const [leader, ...followers] = members
    const syncing = followers.map(follower => this.sync(follower))
    const answers = await Promise.all([this.sync({ ...leader!, assignments }), ...syncing])
    for (const { error } of answers) if (error !== 'NONE') throw new Error(`${this.name}: ${error} in SyncGroup`)
  }

  async sync(syncing: Syncing): Promise<{ error: ErrorName; assignment: string; bytes: Uint8Array }> {
    const { memberId, generation, instanceId, version = 5, protocolType = 'consumer', assignments = {} } = syncing
    const answer = await this.world.request(this.coordinator, syncGroup, version, {
      groupId: this.name,
      generationId: generation,
      memberId,
      ...(instanceId === undefined ? {} : { groupInstanceId: instanceId }),
      ...(version >= 5 ? { protocolType, protocolName: syncing.protocol ?? 'range' } : {}),
      assignments: Object.entries(assignments).map(([member, given]) => ({
        memberId: member,
        assignment: typeof given === 'string' ? utf8.encode(given) : given,
      })),
    })
    const { assignment } = answer
    return { error: nameOf(answer.errorCode), assignment: text.decode(assignment), bytes: assignment }
  }

  async beat({ memberId, generation, instanceId, version = 4 }: Speaking): Promise<ErrorName> {
    const instance = instanceId === undefined ? {} : { groupInstanceId: instanceId }
    const body = { groupId: this.name, generationId: generation, memberId, ...instance }
    return nameOf((await this.world.request(this.coordinator, heartbeat, version, body)).errorCode)
  }

  /** Until a member hears this at its heartbeat. */
  untilHears(member: Speaking, error: ErrorName, timeoutMs?: number): Promise<void> {
    const what = `${this.name}: a member hears ${error}`
    return this.world.eventually(what, async () => (await this.beat(member)) === error, timeoutMs)
  }

  /** LeaveGroup v5: the error of the request, then that of each. */
  async leave(...leaving: readonly Leaving[]): Promise<ErrorName[]> {
    const members = leaving.map(({ memberId = '', instanceId = null }) => ({ memberId, groupInstanceId: instanceId }))
    const body = { groupId: this.name, members }
    const answer = await this.world.request(this.coordinator, leaveGroup, 5, body)
    return [answer, ...answer.members].map(({ errorCode }) => nameOf(errorCode))
  }

  // --- how it stands -------------------------------------------------------------------------------------------------

  async described(version = 6) {
    const { groups } = await this.world.request(this.coordinator, describeGroups, version, { groups: [this.name] })
    const { errorCode, errorMessage, groupState, protocolType, protocolData, members } = groups[0]!
    return {
      error: nameOf(errorCode),
      message: errorMessage,
      state: groupState,
      protocolType,
      protocol: protocolData,
      members: members
        .map(({ memberId, groupInstanceId, clientId, memberMetadata, memberAssignment }) => ({
          memberId,
          instanceId: groupInstanceId,
          clientId,
          metadata: memberMetadata,
          assignment: text.decode(memberAssignment),
        }))
        .sort((a, b) => (a.memberId < b.memberId ? -1 : 1)),
    }
  }

  /** `no group` where there is none that is classic. */
  async state(): Promise<string> {
    const { error, state } = await this.described()
    return error === 'NONE' ? state : 'no group'
  }

  untilState(state: string, timeoutMs?: number): Promise<void> {
    return this.world.eventually(`${this.name} is ${state}`, async () => (await this.state()) === state, timeoutMs)
  }

  /** DeleteGroups. */
  async delete(): Promise<ErrorName> {
    const { results } = await this.world.request(this.coordinator, deleteGroups, 2, { groupsNames: [this.name] })
    return nameOf(results[0]!.errorCode)
  }
}

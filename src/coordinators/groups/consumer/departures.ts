import type { GroupShard } from '../group-shard.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerMember, memberStates } from './consumer-member.ts'
import { groupEpochRecord, memberTombstones, regularExpressionRecord } from './consumer-records.ts'
import type { ConsumerSteps, Step } from './consumer-steps.ts'
import { GroupDraft } from './group-draft.ts'
import { MemberSessions } from './member-sessions.ts'
import { metadataHash } from './metadata-hash.ts'
import { type Downgrade, downgraded, isDowngradable } from './migration.ts'

/** Why a member is removed although it did not ask for it. */
export type Deadline = 'session' | 'revocation' | 'join' | 'sync'

const reasons: Readonly<Record<Deadline, (memberId: string) => string>> = {
  session: memberId => `no heartbeat from ${memberId}`,
  revocation: memberId => `${memberId} does not give up partitions`,
  join: memberId => `${memberId} does not join again`,
  sync: memberId => `no SyncGroup from ${memberId}`,
}
const deadlines = Object.keys(reasons) as Deadline[]

/** Members that go: because they say so, or because a time is over (G-55). */
export class Departures {
  readonly sessions: MemberSessions
  readonly #group: GroupShard
  readonly #steps: ConsumerSteps

  constructor(group: GroupShard, steps: ConsumerSteps) {
    this.#group = group
    this.#steps = steps
    this.sessions = new MemberSessions({
      runtime: group.environment.runtime,
      timers: group.shard.timers,
      expired: (groupId, memberId) => this.removeIn(0, groupId, memberId, 'session', () => true),
    })
  }

  /**
   * They are gone, and what they had is free (G-53). If only members of the classic protocol are left, the group is a
   * classic one from now on.
   */
  remove(group: ConsumerGroup, members: readonly ConsumerMember[]): Omit<Step<undefined>, 'response'> {
    const { id } = group
    const leaving = new Set(members.map(({ memberId }) => memberId))
    const { environment } = this.#group
    if (isDowngradable(group, leaving, environment)) {
      return this.downgrade(group, leaving, 'the last member of the consumer protocol is gone')
    }
    const draft = new GroupDraft(group)
    for (const memberId of leaving) draft.add(...memberTombstones(id, memberId))
    const { expressions, regularExpressions } = draft.group
    for (const regex of [...regularExpressions.keys()]) {
      if (!expressions.has(regex)) draft.add(regularExpressionRecord(id, regex, null))
    }
    draft.addLast(groupEpochRecord(id, group.groupEpoch + 1, metadataHash(draft.group, environment.image)))
    const then = () => {
      for (const memberId of leaving) this.forget(id, memberId)
    }
    return { records: draft.records, then }
  }

  /** Those who stay go on as a classic group: Stable, or with a rebalance if there is a reason. */
  downgrade(
    group: ConsumerGroup,
    leaving: ReadonlySet<string>,
    reason: string | undefined,
  ): Omit<Step<undefined>, 'response'> {
    const downgrade = downgraded(group, leaving, this.#group.environment)
    const memberIds = [...group.members.keys()]
    const then = () => {
      for (const memberId of memberIds) this.forget(group.id, memberId)
      this.#adopt(group.id, downgrade, reason)
    }
    return { records: downgrade.records, then }
  }

  #adopt(groupId: string, { protocolsOf }: Downgrade, reason: string | undefined): void {
    const { shard, classic } = this.#group
    const group = shard.latest.groups.get(groupId)
    if (group?.type !== 'classic') return
    for (const member of group.members.values()) member.protocols = protocolsOf.get(member.id) ?? member.protocols
    classic.adopted(group, reason)
  }

  // --- deadlines -----------------------------------------------------------------------------------------------------

  /** As by `remove`, when the time has come, if it still holds. */
  removeIn(
    ms: number,
    groupId: string,
    memberId: string,
    deadline: Deadline,
    holds: (member: ConsumerMember) => boolean = () => true,
  ): void {
    this.#steps.schedule(keyOf(deadline, groupId, memberId), ms, groupId, group => {
      const member = group.members.get(memberId)
      if (member === undefined || !holds(member)) return undefined
      return { ...this.remove(group, [member]), response: undefined, reason: reasons[deadline](memberId) }
    })
  }

  has(deadline: Deadline, groupId: string, memberId: string): boolean {
    return this.#steps.isScheduled(keyOf(deadline, groupId, memberId))
  }

  cancel(deadline: Deadline, groupId: string, memberId: string): void {
    this.#steps.cancel(keyOf(deadline, groupId, memberId))
  }

  /** It was heard of. */
  touch(groupId: string, { memberId, classic }: ConsumerMember): void {
    const timeoutMs = this.#group.environment.groupConfig(groupId)['consumer.session.timeout.ms']
    this.sessions.touch(groupId, memberId, classic?.sessionTimeoutMs ?? timeoutMs)
  }

  /** A member that is to give up partitions has its rebalance timeout for it, from when it was told. */
  giveTimeToRevoke(groupId: string, { memberId, memberEpoch, state, rebalanceTimeoutMs }: ConsumerMember): void {
    if (state !== memberStates.UNREVOKED_PARTITIONS || memberEpoch < 0) this.cancel('revocation', groupId, memberId)
    else if (!this.has('revocation', groupId, memberId)) {
      const stillTheSame = (member: ConsumerMember) =>
        member.memberEpoch === memberEpoch && member.state === memberStates.UNREVOKED_PARTITIONS
      this.removeIn(rebalanceTimeoutMs, groupId, memberId, 'revocation', stillTheSame)
    }
  }

  forget(groupId: string, memberId: string): void {
    this.sessions.forget(groupId, memberId)
    for (const deadline of deadlines) this.cancel(deadline, groupId, memberId)
  }
}

function keyOf(deadline: Deadline, groupId: string, memberId: string): string {
  return `${deadline} of ${memberId} in ${groupId}`
}

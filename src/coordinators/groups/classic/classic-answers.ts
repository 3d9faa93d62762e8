import { type ErrorName, errorCodes } from '../../../wire/errors.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ClassicMember, JoinAnswer, SyncAnswer } from './classic-member.ts'

const NOTHING = new Uint8Array(0)

export function joinRefusal(error: ErrorName, memberId = ''): JoinAnswer {
  return {
    throttleTimeMs: 0,
    errorCode: errorCodes[error],
    generationId: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    memberId,
    members: [],
  }
}

/** The present generation, to one of its members. Only the leader is told of the others. */
export function joined(
  group: ClassicGroup,
  member: ClassicMember,
  differently: Partial<Pick<JoinAnswer, 'leader' | 'members' | 'skipAssignment'>> = {},
): JoinAnswer {
  const { generation, protocolType, protocol, leaderId } = group
  return {
    throttleTimeMs: 0,
    errorCode: errorCodes.NONE,
    generationId: generation,
    protocolType,
    protocolName: protocol,
    leader: leaderId ?? '',
    memberId: member.id,
    members: group.isLeader(member.id) ? membersFor(group) : [],
    ...differently,
  }
}

function membersFor({ members, protocol }: ClassicGroup): JoinAnswer['members'] {
  return [...members.values()].map(member => ({
    memberId: member.id,
    groupInstanceId: member.instanceId,
    metadata: member.metadataOf(protocol),
  }))
}

export function syncRefusal(error: ErrorName): SyncAnswer {
  return {
    throttleTimeMs: 0,
    errorCode: errorCodes[error],
    protocolType: null,
    protocolName: null,
    assignment: NOTHING,
  }
}

export function synced({ protocolType, protocol }: ClassicGroup, { assignment }: ClassicMember): SyncAnswer {
  return { throttleTimeMs: 0, errorCode: errorCodes.NONE, protocolType, protocolName: protocol, assignment }
}

/** Whatever it waits for, it is told why it waits in vain; an id that is no longer its own is not echoed. */
export function dismiss(member: ClassicMember, error: ErrorName, memberId = ''): void {
  answerJoin(member, joinRefusal(error, memberId))
  answerSync(member, syncRefusal(error))
}

export function answerJoin(member: ClassicMember, answer: JoinAnswer): void {
  const { joining } = member
  member.joining = undefined
  joining?.resolve(answer)
}

export function answerSync(member: ClassicMember, answer: SyncAnswer): void {
  const { syncing } = member
  member.syncing = undefined
  syncing?.resolve(answer)
}

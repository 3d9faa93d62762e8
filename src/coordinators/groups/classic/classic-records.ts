import type { GroupRecordInput } from '../group-records.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { ClassicMember } from './classic-member.ts'

type MetadataInput = Extract<GroupRecordInput, { type: 'GroupMetadata' }>

/** A group that somebody has just asked to join: it outlives the refusal (G-42). */
export function newGroupRecord(group: string, now: number): MetadataInput {
  return metadataRecord(group, {
    protocolType: '',
    generation: 0,
    protocol: null,
    leader: null,
    currentStateTimestamp: now,
    members: [],
  })
}

/** Everybody is gone: a generation of nobody. */
export function emptyGroupRecord(group: ClassicGroup, now: number): MetadataInput {
  return metadataRecord(group.id, {
    protocolType: group.protocolType ?? '',
    generation: group.generation + 1,
    protocol: null,
    leader: null,
    currentStateTimestamp: now,
    members: [],
  })
}

/** The group in its present generation, with these members and what each is to have. */
export function groupRecord(
  group: ClassicGroup,
  now: number,
  members: Iterable<ClassicMember>,
  leader: string | null,
  assignmentOf: (member: ClassicMember) => Uint8Array,
): MetadataInput {
  const { protocol } = group
  return metadataRecord(group.id, {
    protocolType: group.protocolType ?? '',
    generation: group.generation,
    protocol,
    leader,
    currentStateTimestamp: now,
    members: [...members].map(member => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: member.metadataOf(protocol),
      assignment: assignmentOf(member),
    })),
  })
}

/** The group is gone. */
export function groupTombstone(group: string): MetadataInput {
  return { type: 'GroupMetadata', key: { group }, value: null }
}

function metadataRecord(group: string, value: MetadataInput['value']): MetadataInput {
  return { type: 'GroupMetadata', key: { group }, value }
}

import type { ClusterImage } from '../../../metadata/image.ts'
import type { AssignableTopic, Assignor } from './assignors/assignor.ts'
import { rangeAssignor } from './assignors/range-assignor.ts'
import { uniformAssignor } from './assignors/uniform-assignor.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { type ConsumerRecord, targetEpochRecord, targetRecord } from './consumer-records.ts'
import { sameAssignment } from './partition-sets.ts'

/** `group.consumer.assignors` may name them by their Java classes, too. Others cannot be loaded here. */
const assignors: Readonly<Record<string, Assignor>> = { uniform: uniformAssignor, range: rangeAssignor }
const ASSIGNOR_CLASS = /^org\.apache\.kafka\.coordinator\.group\.assignor\.(Uniform|Range)Assignor$/

/** Names of the assignors that a member may ask for, the default first. */
export function assignorNames(configured: readonly string[]): string[] {
  const names = configured.map(name => ASSIGNOR_CLASS.exec(name)?.[1]?.toLowerCase() ?? name)
  return names.filter(name => Object.hasOwn(assignors, name))
}

/** What most members who ask for one ask for; a tie, or nobody: the first configured one (G-57). */
export function assignorOf(group: ConsumerGroup, configured: readonly string[]): string {
  const names = assignorNames(configured)
  const votes = new Map(names.map(name => [name, 0]))
  for (const { serverAssignor } of group.members.values()) {
    if (serverAssignor !== null && votes.has(serverAssignor)) votes.set(serverAssignor, votes.get(serverAssignor)! + 1)
  }
  return names.reduce((best, name) => (votes.get(name)! > votes.get(best)! ? name : best), names[0] ?? 'uniform')
}

/** Records of a new target of all members, for the group's epoch: of those whose target changes, and its epoch. */
export function newTarget(
  group: ConsumerGroup,
  image: ClusterImage,
  assignorName: string,
  timestamp: number,
): ConsumerRecord[] {
  const topics: AssignableTopic[] = []
  const ids = new Map<string, string>()
  for (const name of [...group.subscribers.keys()].sort()) {
    const topic = image.topic(name)
    if (topic === undefined) continue
    ids.set(name, topic.topicId)
    topics.push({ topicId: topic.topicId, partitions: topic.partitions.length })
  }
  const members = [...group.members.values()].map(member => ({
    memberId: member.memberId,
    instanceId: member.instanceId,
    topicIds: new Set([...group.topicsOf(member)].flatMap(name => ids.get(name) ?? [])),
    target: group.targetOf(member.memberId),
  }))
  const targets = members.length === 0 ? new Map<string, never>() : assignors[assignorName]!({ members, topics })
  const records: ConsumerRecord[] = []
  for (const [memberId, target] of targets) {
    const before = group.targets.get(memberId)
    if (before === undefined || !sameAssignment(before, target)) records.push(targetRecord(group.id, memberId, target))
  }
  return [...records, targetEpochRecord(group.id, group.groupEpoch, timestamp)]
}

import { choiceText } from '../client/consumer/topic-choice.ts'
import type { LivingMember } from '../client/environment.ts'
import { partitionText } from '../client/topic-partition.ts'
import type { ClusterImage } from '../metadata/image.ts'
import { internalTopics } from '../metadata/topic-names.ts'
import type { GroupMemberView, Membership } from './group-membership.ts'

/** Consumers of this cluster that are open and have this `group.id`, whether or not they are members. */
export function consumersOf(members: Iterable<LivingMember>, group: string): LivingMember[] {
  return [...members].filter(({ groupId }) => groupId === group)
}

/** Topics that RegExps of members match: they will read them, though they may not know them yet. */
export function matchedTopics(
  consumers: Iterable<LivingMember>,
  { members }: Membership,
  image: ClusterImage,
): Set<string> {
  const matched = new Set<string>()
  for (const { choice, memberId } of consumers) {
    if (choice?.kind !== 'pattern' || !members.some(member => member.memberId === memberId)) continue
    for (const topic of image.topics.values()) {
      if (!internalTopics.has(topic.name) && choice.pattern.test(topic.name)) matched.add(topic.name)
    }
  }
  return matched
}

/**
 * Whether consumers that are being polled read what the group has given them. What they are told they take over inside of
 * `poll`, so nobody waits for one that is not polled.
 */
export function haveTakenOver(consumers: readonly LivingMember[], { members }: Membership): boolean {
  for (const consumer of consumers) {
    if (!consumer.isPolling || consumer.memberId === '') continue
    const member = members.find(({ memberId }) => memberId === consumer.memberId)
    if (member !== undefined && !reads(consumer, member)) return false
  }
  return true
}

function reads({ partitions }: LivingMember, { assignment }: GroupMemberView): boolean {
  const own = new Set([...partitions].map(({ name }) => name))
  return own.size === assignment.length && assignment.every(partition => own.has(partitionText(partition)))
}

/** What the open consumers of a group lack, for somebody who waited in vain: lines. */
export function consumerLines(
  consumers: readonly LivingMember[],
  now: number,
  membership: Membership | undefined,
  committed: (topic: string, partition: number) => number | undefined,
): string[] {
  return consumers.flatMap(consumer => [
    ...pollLine(consumer, now, membership),
    ...patternLine(consumer),
    ...offsetLines(consumer, committed),
  ])
}

function pollLine(consumer: LivingMember, now: number, membership: Membership | undefined): string[] {
  const { name, choice, polledAt, isPolling, isManual, memberId } = consumer
  if (isManual) return [`  ${name} assigns its partitions itself: it never joins the group`]
  if (choice === undefined)
    return [`  ${name} subscribes to nothing: it joins after subscribe(…), inside poll or for await`]
  const subscribes = `  ${name} subscribes to ${choiceText(choice)} and`
  if (isPolling) return []
  if (polledAt === undefined) {
    return [`${subscribes} has never been polled: members join and rebalance inside poll or for await`]
  }
  const ago = `was last polled ${seconds(now - polledAt)} ago`
  const member = membership?.members.find(each => each.memberId === memberId)
  if (member === undefined) return [`${subscribes} ${ago}, and is no member: members join inside poll or for await`]
  const isStable = membership!.state === 'Stable'
  if (!isStable) return [`${subscribes} ${ago}: the rebalance waits for its next poll`]
  const takes = reads(consumer, member) ? '' : ': it takes over what it was given at its next poll'
  return [`${subscribes} ${ago}${takes}`]
}

function patternLine({ name, choice, metadataMaxAgeMs }: LivingMember): string[] {
  if (choice === undefined || choice.kind === 'topics') return []
  const when =
    choice.kind === 'pattern'
      ? `every ${seconds(metadataMaxAgeMs)} (metadata.max.age.ms)`
      : 'by the coordinator: at a heartbeat after a topic has come, 10 s after the last time at the earliest'
  return [`  ${name} looks for new topics that match ${choiceText(choice)} ${when}`]
}

function offsetLines(
  { name, partitions, commitsByItself }: LivingMember,
  committed: (topic: string, partition: number) => number | undefined,
): string[] {
  const lines: string[] = []
  for (const { name: partition, topic, partition: number, position, skippedTo } of partitions) {
    const end = committed(topic, number)
    if (position !== undefined && position > (end ?? skippedTo ?? 0)) {
      const by = commitsByItself ? 'by a later poll (auto-commit), or by commit()' : 'by commit()'
      lines.push(`  ${name} was handed out ${partition} up to ${position}, which is not committed: that is done ${by}`)
    }
    if (skippedTo !== undefined && skippedTo > 0) {
      const why = "nothing was committed, and auto.offset.reset (default 'latest') or a seek said so"
      lines.push(`  ${name} skipped the records of ${partition} below ${skippedTo}: ${why}`)
    }
  }
  return lines
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`
}

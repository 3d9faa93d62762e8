import { decodeAssignment } from '../../../src/wire/consumer-protocol.ts'
import type { GroupOutcome } from './group-universe.ts'

/** Each law answers its witnesses: none when it holds. */

/** Every acknowledged record of a subscribed topic is worked on at least once. */
export function skipped({ acknowledged, processed }: GroupOutcome): string[] {
  const done = new Set(processed.map(({ partition, offset }) => `${partition}:${offset}`))
  return acknowledged.flatMap((offsets, partition) =>
    offsets
      .filter(offset => !done.has(`${partition}:${offset}`))
      .map(offset => `the record at offset ${offset} of t-${partition} was never worked on`),
  )
}

/** What a group has committed goes up: nobody asked for less. */
export function commitsThatWentBack({ log }: GroupOutcome): string[] {
  const last = new Map<number, number>()
  const witnesses: string[] = []
  for (const { offset, record } of log) {
    if (record.type !== 'OffsetCommit' || record.value === null) continue
    const { partition } = record.key
    const before = last.get(partition) ?? 0
    if (record.value.offset < before) {
      witnesses.push(`t-${partition} went back from ${before} to ${record.value.offset} (record ${offset})`)
    }
    last.set(partition, record.value.offset)
  }
  return witnesses
}

/** In no generation of a classic group does a partition have two owners. */
export function sharedPartitions({ log }: GroupOutcome): string[] {
  return log.flatMap(({ record }) => {
    if (record.type !== 'GroupMetadata' || record.value === null) return []
    const { generation, members } = record.value
    const owned = members.flatMap(({ memberId, assignment }) =>
      decodeAssignment(assignment).assignedPartitions.flatMap(({ topic, partitions }) =>
        partitions.map(partition => [`${topic}-${partition}`, memberId] as const),
      ),
    )
    return twice(owned).map(witness => `generation ${generation}: ${witness}`)
  })
}

/** At no time do two members of a consumer group have a partition, or one has what another has yet to give up. */
export function doublyAssigned({ log }: GroupOutcome): string[] {
  const current = new Map<string, readonly string[]>()
  const witnesses: string[] = []
  for (const { offset, record } of log) {
    if (record.type !== 'ConsumerGroupCurrentMemberAssignment') continue
    const { memberId } = record.key
    if (record.value === null) {
      current.delete(memberId)
      continue
    }
    const { assignedPartitions, partitionsPendingRevocation } = record.value
    const has = [...assignedPartitions, ...partitionsPendingRevocation].flatMap(({ topicId, partitions }) =>
      partitions.map(partition => `${topicId}-${partition}`),
    )
    current.set(memberId, has)
    const owned = [...current].flatMap(([member, places]) => places.map(place => [place, member] as const))
    for (const witness of twice(owned)) witnesses.push(`record ${offset}: ${witness}`)
  }
  return witnesses
}

function twice(owned: readonly (readonly [place: string, member: string])[]): string[] {
  const owners = new Map<string, string>()
  const witnesses: string[] = []
  for (const [place, member] of owned) {
    const other = owners.get(place)
    if (other !== undefined && other !== member) witnesses.push(`${place} belongs to ${other} and to ${member}`)
    owners.set(place, member)
  }
  return witnesses
}

/** Once all is healed, every record is read and every partition has its one owner, within ten minutes. */
export function neverStable({ stuck }: GroupOutcome): string[] {
  return stuck === undefined ? [] : [stuck]
}

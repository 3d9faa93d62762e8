import type { Assignment } from '../partition-sets.ts'
import { type AssignableGroup, isHomogeneous } from './assignor.ts'
import { unevenAssignor } from './uneven-assignor.ts'

/**
 * Assignor `uniform` (Kafka's UniformAssignor): as many partitions for everyone, give or take one, and as few as possible
 * change hands. Where not all are subscribed to the same topics, see `unevenAssignor`.
 *
 * Simplification: racks are not looked at, as in Kafka since 4.0.
 */
export function uniformAssignor(group: AssignableGroup): ReadonlyMap<string, Assignment> {
  return isHomogeneous(group) ? evenAssignor(group) : unevenAssignor(group)
}

function evenAssignor({ members, topics }: AssignableGroup): ReadonlyMap<string, Assignment> {
  const total = topics.reduce((sum, { partitions }) => sum + partitions, 0)
  const quota = Math.floor(total / members.length)
  let extra = total % members.length
  const taken = new Map(topics.map(({ topicId, partitions }) => [topicId, new Uint8Array(partitions)]))
  const kept = members.map(({ target }) => {
    const own: [string, number][] = []
    for (const [topicId, partitions] of target) {
      const isTaken = taken.get(topicId)
      if (isTaken === undefined) continue
      for (const partition of partitions) if (isTaken[partition] === 0) own.push([topicId, partition])
    }
    // One above the quota is kept by those who have it, as long as there are any to give.
    const count = own.length > quota && extra > 0 ? quota + 1 : Math.min(own.length, quota)
    if (count > quota) extra--
    own.length = count
    for (const [topicId, partition] of own) taken.get(topicId)![partition] = 1
    return own
  })

  const free = freePartitions(taken)
  const targets = new Map<string, Assignment>()
  members.forEach(({ memberId }, index) => {
    const own = kept[index]!
    let wanted = quota - own.length
    if (wanted >= 0 && extra > 0) {
      wanted++
      extra--
    }
    for (let i = 0; i < wanted; i++) own.push(free.next().value!)
    targets.set(memberId, byTopic(own))
  })
  return targets
}

function* freePartitions(taken: ReadonlyMap<string, Uint8Array>): Generator<[string, number], undefined> {
  for (const [topicId, isTaken] of taken) {
    for (let partition = 0; partition < isTaken.length; partition++) {
      if (isTaken[partition] === 0) yield [topicId, partition]
    }
  }
  return undefined
}

function byTopic(partitions: readonly (readonly [string, number])[]): Assignment {
  const assignment = new Map<string, number[]>()
  for (const [topicId, partition] of partitions) {
    const known = assignment.get(topicId)
    if (known === undefined) assignment.set(topicId, [partition])
    else known.push(partition)
  }
  for (const known of assignment.values()) known.sort((a, b) => a - b)
  return assignment
}

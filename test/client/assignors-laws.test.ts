import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MemberSubscription, TopicPartitions } from '../../src/client/consumer/assignors/assignor.ts'
import { encodeStickyUserData } from '../../src/client/consumer/assignors/sticky-assignor.ts'
import { assignorsOf } from '../../src/client/consumer/assignors/strategies.ts'
import { partitionText, type TopicPartition } from '../../src/client/topic-partition.ts'

type Topics = Map<string, TopicPartitions>
type Members = Map<string, MemberSubscription>
type Assignment = ReadonlyMap<string, readonly TopicPartition[]>

const all = ['range', 'roundrobin', 'sticky', 'cooperative-sticky']
const stickies = ['sticky', 'cooperative-sticky']
const assign = (name: string, topics: Topics, members: Members): Assignment =>
  assignorsOf([name])[0]!.assign(topics, members)

const rack = fc.constantFrom('x', 'y', 'z')
const topicNames = ['orders', 'payments', 'refunds', 'audits']
const arbitraryTopics = fc
  .array(fc.array(fc.uniqueArray(rack, { maxLength: 2 }), { maxLength: 9 }), { minLength: 1, maxLength: 4 })
  .map(counts => new Map(counts.map((racks, i) => [topicNames[i]!, { partitionCount: racks.length, racks }])))

const arbitraryMember = fc.record({
  topics: fc.uniqueArray(fc.constantFrom(...topicNames), { minLength: 1 }),
  rackId: fc.option(rack, { nil: null }),
  groupInstanceId: fc.constant(null),
  userData: fc.constant(null),
  generationId: fc.constant(-1),
  ownedPartitions: fc.constant([]),
})
const arbitraryMembers = fc
  .array(arbitraryMember, { minLength: 1, maxLength: 7 })
  .map(members => new Map(members.map((member, i) => [`member-${i}`, member as MemberSubscription])))

/** All want all. */
const equalMembers = (count: number): Members =>
  new Map(
    Array.from({ length: count }, (_, i) => [
      `member-${i}`,
      {
        topics: topicNames,
        rackId: null,
        groupInstanceId: null,
        userData: null,
        generationId: -1,
        ownedPartitions: [],
      },
    ]),
  )

/** They join again with what they were given, as each assignor has them say it. */
function rejoined(name: string, members: Members, assignment: Assignment, generationId: number): Members {
  return new Map(
    [...members].map(([memberId, member]) => {
      const partitions = assignment.get(memberId) ?? []
      if (name === 'sticky')
        return [memberId, { ...member, userData: encodeStickyUserData({ partitions, generationId }) }]
      return [memberId, { ...member, ownedPartitions: partitions, generationId }]
    }),
  )
}

/** Rebalances until nothing has to be given up first: two at most. */
function settled(name: string, topics: Topics, members: Members, generationId: number): Assignment {
  const first = assign(name, topics, members)
  return name === 'sticky' ? first : assign(name, topics, rejoined(name, members, first, generationId))
}

function ownersOf(assignment: Assignment): Map<string, string> {
  const owners = new Map<string, string>()
  for (const [memberId, partitions] of assignment) {
    for (const partition of partitions) {
      expect(owners.has(partitionText(partition)), `${partitionText(partition)} has two owners`).toBe(false)
      owners.set(partitionText(partition), memberId)
    }
  }
  return owners
}

const countOf = (topics: Topics) => [...topics.values()].reduce((sum, { partitionCount }) => sum + partitionCount, 0)

describe.for(all)('%s', name => {
  test('gives every partition that somebody wants to exactly one who does', () => {
    fc.assert(
      fc.property(arbitraryTopics, arbitraryMembers, (topics, members) => {
        const owners = ownersOf(assign(name, topics, members))
        for (const [topic, { partitionCount }] of topics) {
          const isWanted = [...members.values()].some(member => member.topics.includes(topic))
          for (let partition = 0; partition < partitionCount; partition++) {
            const owner = owners.get(partitionText({ topic, partition }))
            if (isWanted) expect(members.get(owner!)?.topics).toContain(topic)
            else expect(owner).toBeUndefined()
          }
        }
        expect(owners.size).toBeLessThanOrEqual(countOf(topics))
      }),
    )
  })

  test('answers the same, whatever the order in which members and topics are told', () => {
    const shuffled = <T>(items: readonly T[]) => fc.shuffledSubarray([...items], { minLength: items.length })
    const drawn = fc
      .tuple(arbitraryTopics, arbitraryMembers)
      .chain(([topics, members]) =>
        fc.tuple(fc.constant(topics), fc.constant(members), shuffled([...topics]), shuffled([...members])),
      )
    fc.assert(
      fc.property(drawn, ([topics, members, otherTopics, otherMembers]) => {
        const one = ownersOf(assign(name, topics, members))
        const other = ownersOf(assign(name, new Map(otherTopics), new Map(otherMembers)))
        expect(new Map([...other].sort())).toEqual(new Map([...one].sort()))
      }),
    )
  })
})

describe.for(['roundrobin', ...stickies])('%s', name => {
  test('gives members who want the same as many partitions as each other, or one more', () => {
    fc.assert(
      fc.property(arbitraryTopics, fc.integer({ min: 1, max: 7 }), (topics, count) => {
        const sizes = [...assign(name, topics, equalMembers(count)).values()].map(({ length }) => length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })
})

test('range differs by at most one for each topic', () => {
  fc.assert(
    fc.property(arbitraryTopics, fc.integer({ min: 1, max: 7 }), (topics, count) => {
      const assignment = [...assign('range', topics, equalMembers(count)).values()]
      for (const topic of topics.keys()) {
        const sizes = assignment.map(partitions => partitions.filter(each => each.topic === topic).length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }
    }),
  )
})

describe.for(stickies)('%s', name => {
  const plain = arbitraryTopics.map(topics => {
    return new Map([...topics].map(([topic, { partitionCount }]) => [topic, { partitionCount }]))
  })

  test('changes nothing if nobody came or went', () => {
    fc.assert(
      fc.property(plain, arbitraryMembers, (topics, members) => {
        const before = assign(name, topics, members)
        const after = assign(name, topics, rejoined(name, members, before, 1))
        expect(ownersOf(after)).toEqual(ownersOf(before))
      }),
    )
  })

  test('moves only the partitions of a member that left', () => {
    fc.assert(
      fc.property(plain, fc.integer({ min: 2, max: 7 }), fc.nat(), (topics, count, pick) => {
        const before = assign(name, topics, equalMembers(count))
        const members = rejoined(name, equalMembers(count), before, 1)
        const leaver = `member-${pick % count}`
        members.delete(leaver)
        const after = ownersOf(assign(name, topics, members))
        for (const [partition, owner] of ownersOf(before)) {
          if (owner !== leaver) expect(after.get(partition)).toBe(owner)
        }
        expect(after.size).toBe(countOf(topics))
      }),
    )
  })

  test('gives a new member its share, and moves nothing else', () => {
    fc.assert(
      fc.property(plain, fc.integer({ min: 1, max: 6 }), (topics, count) => {
        const before = assign(name, topics, equalMembers(count))
        const members = rejoined(name, equalMembers(count), before, 1)
        const [newcomer, subscription] = [...equalMembers(count + 1)].at(-1)!
        members.set(newcomer, subscription)
        const after = ownersOf(settled(name, topics, members, 2))
        const moved = [...ownersOf(before)].filter(([partition, owner]) => after.get(partition) !== owner)
        expect(moved.length).toBe(Math.floor(countOf(topics) / (count + 1)))
        for (const [partition] of moved) expect(after.get(partition)).toBe(newcomer)
      }),
    )
  })
})

test('cooperative-sticky never gives a partition to one while another has it (KIP-429)', () => {
  fc.assert(
    fc.property(arbitraryTopics, arbitraryMembers, arbitraryMembers, (topics, members, others) => {
      const before = assign('cooperative-sticky', topics, members)
      const had = ownersOf(before)
      // Some go, some come, some want something else now.
      const after = new Map(others)
      for (const [memberId, member] of rejoined('cooperative-sticky', members, before, 1)) {
        const other = others.get(memberId)
        if (other !== undefined) after.set(memberId, { ...member, topics: other.topics })
      }
      for (const [partition, owner] of ownersOf(assign('cooperative-sticky', topics, after))) {
        const previous = had.get(partition)
        if (previous !== undefined && after.has(previous)) expect(owner).toBe(previous)
      }
    }),
  )
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AssignableGroup, Assignor } from '../../src/coordinators/groups/consumer/assignors/assignor.ts'
import { rangeAssignor } from '../../src/coordinators/groups/consumer/assignors/range-assignor.ts'
import { uniformAssignor } from '../../src/coordinators/groups/consumer/assignors/uniform-assignor.ts'
import type { Assignment } from '../../src/coordinators/groups/consumer/partition-sets.ts'

type Targets = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>

/** Topic → partitions; member → topics; member → what it is to have so far. */
function groupOf(
  topics: Readonly<Record<string, number>>,
  members: Readonly<Record<string, readonly string[]>>,
  targets: Targets = {},
  instances: Readonly<Record<string, string>> = {},
): AssignableGroup {
  const wanted = new Set(Object.values(members).flat())
  return {
    topics: Object.entries(topics)
      .filter(([topicId]) => wanted.has(topicId))
      .map(([topicId, partitions]) => ({ topicId, partitions })),
    members: Object.entries(members).map(([memberId, subscribed]) => ({
      memberId,
      instanceId: instances[memberId] ?? null,
      topicIds: new Set(subscribed),
      target: new Map(Object.entries(targets[memberId] ?? {})),
    })),
  }
}

function plain(targets: ReadonlyMap<string, Assignment>): Targets {
  return Object.fromEntries([...targets].map(([member, target]) => [member, Object.fromEntries(target)]))
}

const assigned = (assignor: Assignor, ...group: Parameters<typeof groupOf>) => plain(assignor(groupOf(...group)))
const countOf = (target: Assignment) => [...target.values()].reduce((sum, { length }) => sum + length, 0)

describe('range (G-57)', () => {
  test('each topic is cut into runs, the first members get one more', () => {
    expect(assigned(rangeAssignor, { t: 5, u: 3 }, { B: ['t', 'u'], A: ['t', 'u'] })).toEqual({
      A: { t: [0, 1, 2], u: [0, 1] },
      B: { t: [3, 4], u: [2] },
    })
  })

  test('topics with as many partitions are cut alike, so that they can be joined', () => {
    const { A, B } = assigned(rangeAssignor, { t: 4, u: 4 }, { A: ['t', 'u'], B: ['t', 'u'] })
    expect([A!.t, B!.t]).toEqual([
      [0, 1],
      [2, 3],
    ])
    expect([A!.u, B!.u]).toEqual([A!.t, B!.t])
  })

  test('members without a share, and topics of some members only', () => {
    expect(assigned(rangeAssignor, { t: 1, u: 2 }, { A: ['t'], B: ['t', 'u'], C: ['t'] })).toEqual({
      A: { t: [0] },
      B: { u: [0, 1] },
      C: {},
    })
  })

  test('static members come first, by instance id: a restart under another id changes nothing', () => {
    const before = assigned(rangeAssignor, { t: 3 }, { x: ['t'], y: ['t'], a: ['t'] }, {}, { x: 'i-2', y: 'i-1' })
    expect(before).toEqual({ y: { t: [0] }, x: { t: [1] }, a: { t: [2] } })
    const after = assigned(rangeAssignor, { t: 3 }, { a: ['t'], z: ['t'], y: ['t'] }, {}, { z: 'i-2', y: 'i-1' })
    expect(after).toEqual({ y: { t: [0] }, z: { t: [1] }, a: { t: [2] } })
  })
})

describe('uniform (G-57)', () => {
  test('a member that was alone gives up half, and keeps what comes first (G-54)', () => {
    expect(assigned(uniformAssignor, { t: 4 }, { A: ['t'], B: ['t'] }, { A: { t: [0, 1, 2, 3] } })).toEqual({
      A: { t: [0, 1] },
      B: { t: [2, 3] },
    })
  })

  test('where it does not come out even, who has one more keeps it', () => {
    const group = [{ t: 5 }, { A: ['t'], B: ['t'] }, { A: { t: [0, 1] }, B: { t: [2, 3, 4] } }] as const
    expect(assigned(uniformAssignor, ...group)).toEqual(group[2])
  })

  test('a topic of one member only: the other one gets more of what they share', () => {
    const targets = { A: { k1: [0, 1] }, B: { k1: [2, 3] } }
    const mixed = assigned(uniformAssignor, { k1: 4, k2: 2 }, { A: ['k1'], B: ['k1', 'k2'] }, targets)
    expect(mixed).toEqual({ A: { k1: [0, 1, 3] }, B: { k1: [2], k2: [0, 1] } })
    expect(assigned(uniformAssignor, { k1: 4, k2: 2 }, { A: ['k1'], B: ['k1', 'k2'], C: ['k1'] }, mixed)).toEqual({
      A: { k1: [0, 1] },
      B: { k2: [0, 1] },
      C: { k1: [2, 3] },
    })
  })

  test('partitions that are gone, and topics that nobody wants any more, are nobodys', () => {
    const targets = { A: { t: [0, 1, 2], gone: [0] }, B: { t: [3] } }
    expect(assigned(uniformAssignor, { t: 2 }, { A: ['t'], B: ['t'] }, targets)).toEqual({
      A: { t: [0] },
      B: { t: [1] },
    })
  })
})

// --- laws ------------------------------------------------------------------------------------------------------------

const topicNames = ['t', 'u', 'v', 'w']
const memberNames = ['A', 'B', 'C', 'D', 'E', 'F']

const topics = fc
  .tuple(...topicNames.map(() => fc.integer({ min: 0, max: 7 })))
  .map(counts => Object.fromEntries(counts.map((count, index) => [topicNames[index]!, count])))
const subscribers = (subscription: fc.Arbitrary<string[]>) =>
  fc
    .uniqueArray(fc.constantFrom(...memberNames), { minLength: 1 })
    .chain(names =>
      fc
        .tuple(...names.map(() => subscription))
        .map(subscriptions => Object.fromEntries(names.map((name, index) => [name, subscriptions[index]!]))),
    )
const mixed = subscribers(fc.subarray(topicNames))
const alike = subscribers(fc.constant(topicNames))

function everyPartitionOnce(group: AssignableGroup, targets: ReadonlyMap<string, Assignment>): void {
  expect([...targets.keys()].sort()).toEqual(group.members.map(({ memberId }) => memberId).sort())
  const owners = new Map<string, string>()
  for (const { memberId, topicIds } of group.members) {
    for (const [topicId, partitions] of targets.get(memberId)!) {
      expect(topicIds).toContain(topicId)
      for (const partition of partitions) {
        expect(owners.get(`${topicId}-${partition}`)).toBeUndefined()
        owners.set(`${topicId}-${partition}`, memberId)
      }
    }
  }
  expect(owners.size).toBe(group.topics.reduce((sum, { partitions }) => sum + partitions, 0))
}

describe.each([
  ['range', rangeAssignor],
  ['uniform', uniformAssignor],
] as const)('laws of %s', (_, assignor) => {
  test('every partition is one subscribers, whatever was before, and the same group gives the same', () => {
    fc.assert(
      fc.property(topics, mixed, mixed, (counts, before, after) => {
        const targets = plain(assignor(groupOf(counts, before)))
        const group = groupOf(counts, after, targets)
        const result = assignor(group)
        everyPartitionOnce(group, result)
        expect(plain(assignor(groupOf(counts, after, targets)))).toEqual(plain(result))
      }),
    )
  })
})

describe('laws of uniform', () => {
  test('with the same subscriptions nobody has two more than another', () => {
    fc.assert(
      fc.property(topics, alike, alike, (counts, before, after) => {
        const targets = plain(uniformAssignor(groupOf(counts, before)))
        const shares = [...uniformAssignor(groupOf(counts, after, targets)).values()].map(countOf)
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('with the same subscriptions nobody takes what is not more than its share from a member that stays', () => {
    fc.assert(
      fc.property(topics, alike, alike, (counts, before, after) => {
        const old = uniformAssignor(groupOf(counts, before))
        const result = uniformAssignor(groupOf(counts, after, plain(old)))
        const quota = Math.floor([...result.values()].reduce((sum, target) => sum + countOf(target), 0) / result.size)
        for (const [memberId, target] of result) {
          const kept = [...(old.get(memberId) ?? [])].reduce((sum, [topicId, partitions]) => {
            return sum + partitions.filter(partition => target.get(topicId)?.includes(partition)).length
          }, 0)
          expect(kept).toBeGreaterThanOrEqual(Math.min(countOf(old.get(memberId) ?? new Map()), quota))
        }
      }),
    )
  })

  test('with different subscriptions no single partition could move to make it more even', () => {
    fc.assert(
      fc.property(topics, mixed, mixed, (counts, before, after) => {
        const group = groupOf(counts, after, plain(uniformAssignor(groupOf(counts, before))))
        const result = uniformAssignor(group)
        for (const from of group.members) {
          for (const topicId of result.get(from.memberId)!.keys()) {
            for (const to of group.members.filter(({ topicIds }) => topicIds.has(topicId))) {
              expect(countOf(result.get(from.memberId)!) - countOf(result.get(to.memberId)!)).toBeLessThan(2)
            }
          }
        }
      }),
    )
  })

  test('where nothing has changed, nothing moves', () => {
    fc.assert(
      fc.property(topics, mixed, (counts, members) => {
        const once = plain(uniformAssignor(groupOf(counts, members)))
        expect(plain(uniformAssignor(groupOf(counts, members, once)))).toEqual(once)
      }),
    )
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type PlacementBroker, placeReplicas } from '../../src/metadata/placement.ts'
import { Random } from '../../src/runtime/random.ts'

/** Always the first: the placement that begins with what is drawn as 0. */
const first = () => 0

function brokers(count: number, racks: readonly (string | null)[] = [null], fenced: readonly number[] = []) {
  return Array.from({ length: count }, (_, index): PlacementBroker => {
    const brokerId = index + 1
    return { brokerId, rack: racks[index % racks.length] ?? null, fenced: fenced.includes(brokerId) }
  })
}

describe('replicas of new partitions', () => {
  test('each partition begins one broker further', () => {
    expect(placeReplicas(brokers(3), 3, 2, first)).toEqual([
      [2, 3],
      [3, 1],
      [1, 2],
    ])
  })

  test('racks take turns, in the partition and from one to the next', () => {
    const placed = placeReplicas(brokers(6, ['a', 'b', 'c']), 3, 3, first)
    expect(placed).toEqual([
      [4, 5, 6],
      [2, 3, 1],
      [6, 4, 5],
    ])
  })

  test('fenced brokers come last, and never first (R-51)', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed)
      for (const replicas of placeReplicas(brokers(4, [null], [4]), 5, 4, (_, n) => random.below(n))) {
        expect(replicas[3]).toBe(4)
      }
      for (const replicas of placeReplicas(brokers(4, [null], [4]), 5, 3, (_, n) => random.below(n))) {
        expect([...replicas].sort()).toEqual([1, 2, 3])
      }
    }
  })

  test('within a rack: a fenced broker of another rack goes before a second one of the same (R-51)', () => {
    const placed = placeReplicas(brokers(4, ['a', 'b'], [2, 4]), 4, 2, first)
    for (const [leader, follower] of placed) {
      expect([1, 3]).toContain(leader)
      expect([2, 4]).toContain(follower)
    }
  })

  test('more replicas than brokers, or nobody unfenced, is refused (M-11, M-12)', () => {
    expect(() => placeReplicas(brokers(2), 1, 3, first)).toThrow('only 2 broker(s) are registered')
    expect(() => placeReplicas(brokers(2, [null], [1, 2]), 1, 1, first)).toThrow('all brokers are fenced')
    expect(() => placeReplicas([], 1, 1, first)).toThrow('only 0 broker(s) are registered')
  })

  test('no broker twice, racks as different as can be, leaderships even over a whole round', () => {
    const cluster = fc.record({
      count: fc.integer({ min: 1, max: 9 }),
      racks: fc.array(fc.constantFrom('a', 'b', 'c', null), { minLength: 1, maxLength: 4 }),
      seed: fc.integer(),
      wanted: fc.integer({ min: 1, max: 9 }),
    })
    fc.assert(
      fc.property(cluster, ({ count, racks, seed, wanted }) => {
        const random = new Random(seed)
        const replicationFactor = Math.min(wanted, count)
        const all = brokers(count, racks)
        const rackOf = new Map(all.map(({ brokerId, rack }) => [brokerId, rack ?? '']))
        const rackCount = new Set(rackOf.values()).size
        const placed = placeReplicas(all, count, replicationFactor, (_, n) => random.below(n))
        for (const replicas of placed) {
          expect(new Set(replicas).size).toBe(replicationFactor)
          const used = new Set(replicas.map(id => rackOf.get(id)))
          expect(used.size).toBe(Math.min(replicationFactor, rackCount))
        }
        if (rackCount === 1) expect(new Set(placed.map(replicas => replicas[0])).size).toBe(count)
      }),
    )
  })
})

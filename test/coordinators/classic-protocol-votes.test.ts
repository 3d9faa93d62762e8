import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { electProtocol, sharedProtocols } from '../../src/coordinators/groups/classic/protocol-votes.ts'

const metadata = new Uint8Array(0)
const voter = (...names: string[]) => ({ protocols: names.map(name => ({ name, metadata })) })

describe('the protocol of a generation (G-13)', () => {
  test('is what most members prefer, of what all offer', () => {
    expect(electProtocol([voter('range', 'sticky'), voter('sticky', 'range'), voter('range', 'sticky')])).toBe('range')
    expect(electProtocol([voter('a', 'sticky'), voter('a', 'sticky'), voter('sticky')])).toBe('sticky')
  })

  test('with one vote each for range and sticky is sticky, whoever votes first', () => {
    expect(electProtocol([voter('range', 'sticky'), voter('sticky', 'range')])).toBe('sticky')
    expect(electProtocol([voter('sticky', 'range'), voter('range', 'sticky')])).toBe('sticky')
  })

  test('between many equals is the first of Java’s hash map, which grows with them', () => {
    const oneVoteEach = (count: number) => {
      const names = Array.from({ length: count }, (_, i) => `p${i + 1}`)
      return names.map((_, i) => voter(...names.slice(i), ...names.slice(0, i)))
    }
    // p1 has slot 1; p12 hashes to 109201, which is slot 0 of 16 and slot 16 of 32.
    expect(electProtocol(oneVoteEach(12))).toBe('p12')
    expect(electProtocol(oneVoteEach(13))).toBe('p1')
  })

  test('is none where members have none in common', () => {
    expect(electProtocol([voter('range'), voter('sticky')])).toBeUndefined()
    expect(electProtocol([])).toBeUndefined()
  })

  test('is always one that all offer, has as many votes as any, and does not depend on the order of members', () => {
    const names = fc.uniqueArray(fc.constantFrom('range', 'roundrobin', 'sticky', 'cooperative-sticky'), {
      minLength: 1,
    })
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 6 }), lists => {
        const voters = lists.map(list => voter(...list))
        const elected = electProtocol(voters)
        const shared = sharedProtocols(voters)
        if (shared.length === 0) return elected === undefined
        const votes = (name: string | undefined) =>
          lists.filter(list => list.find(each => shared.includes(each)) === name).length
        expect(shared).toContain(elected)
        for (const name of shared) expect(votes(elected)).toBeGreaterThanOrEqual(votes(name))
        expect(electProtocol([...voters].reverse())).toBe(elected)
        return true
      }),
    )
  })
})

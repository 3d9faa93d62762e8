import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Roster } from '../../src/runtime/roster.ts'

test('a roster answers as a Set would, whoever comes and goes', () => {
  const change = fc.record({ member: fc.nat(12), comes: fc.boolean() })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), changes => {
      const roster = new Roster<number>()
      const set = new Set<number>()
      for (const { member, comes } of changes) {
        if (!comes) expect(roster.delete(member)).toBe(set.delete(member))
        else if (!set.has(member)) {
          set.add(member)
          roster.add(member)
        }
        expect([...roster]).toEqual([...set])
        expect(roster.size).toBe(set.size)
      }
      roster.clear()
      expect([...roster]).toEqual([])
    }),
  )
})

test('members leave from the front, from the middle and from the end', () => {
  const roster = new Roster<string>()
  for (const member of ['a', 'b', 'c', 'd']) roster.add(member)
  expect([roster.delete('a'), roster.delete('c'), roster.delete('d'), roster.delete('a')]).toEqual([
    true,
    true,
    true,
    false,
  ])
  expect([...roster]).toEqual(['b'])
})

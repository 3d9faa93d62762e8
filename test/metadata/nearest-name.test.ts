import fc from 'fast-check'
import { expect, test } from 'vitest'
import { didYouMean, nearestName } from '../../src/metadata/nearest-name.ts'
import { topicConfigs } from '../../src/metadata/topic-configs.ts'

const names = Object.keys(topicConfigs)

test('a slip of the fingers finds the key that was meant', () => {
  expect(nearestName('min.insync.replica', names)).toBe('min.insync.replicas')
  expect(nearestName('retention.sm', names)).toBe('retention.ms')
  expect(nearestName('Cleanup-Policy', names)).toBe('cleanup.policy')
  expect(didYouMean('segment.byte', names)).toBe(": did you mean 'segment.bytes'?")
})

test('a name that is like nothing finds nothing', () => {
  expect(nearestName('colour', names)).toBeUndefined()
  expect(nearestName('x', names)).toBeUndefined()
  expect(didYouMean('colour', names)).toBe('')
})

test('a name is nearest to itself, and one letter away from it the distance is one', () => {
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.nat(), (name, at) => {
      expect(nearestName(name, names)).toBe(name)
      const cut = at % name.length
      expect(nearestName(name.slice(0, cut) + name.slice(cut + 1), [name])).toBe(name)
    }),
  )
})

import { expect, test } from 'vitest'
import { Recent } from '../../src/runtime/recent.ts'

const HOUR = 3_600_000

test('an account is the same one for an hour after its last use, and then another', () => {
  const recent = new Recent(() => ({ usedAt: 0 }))
  const first = recent.of('a', 0)
  first.usedAt = 5
  expect(recent.of('a', HOUR + 5)).toBe(first)
  expect(recent.of('a', HOUR + 6)).not.toBe(first)
})

test('what nobody uses any more is forgotten when somebody new comes', () => {
  const recent = new Recent(() => ({ usedAt: 0 }))
  for (let i = 0; i < 100; i++) recent.of(`old ${i}`, 0)
  recent.of('kept', 0).usedAt = HOUR
  expect(recent.size).toBe(101)
  recent.of('new', HOUR + 1).usedAt = HOUR + 1
  expect(recent.size).toBe(2)
})

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { LeaderEpochs } from '../../src/log/leader-epochs.ts'

function epochs(...entries: [leaderEpoch: number, startOffset: number][]): LeaderEpochs {
  const made = new LeaderEpochs()
  for (const [leaderEpoch, startOffset] of entries) made.assign(leaderEpoch, startOffset)
  return made
}

const listed = (cache: LeaderEpochs) => cache.entries.map(each => [each.leaderEpoch, each.startOffset])
const end = (leaderEpoch: number, endOffset: number) => ({ leaderEpoch, endOffset })

test('an epoch is entered once, with its first offset (R-30)', () => {
  const cache = epochs([0, 0], [0, 5], [2, 10], [2, 12])
  expect(listed(cache)).toEqual([
    [0, 0],
    [2, 10],
  ])
  expect(cache.latestEpoch).toBe(2)
  expect(cache.latestStartOffset).toBe(10)
})

test('an entry that does not fit behind the others takes their place (R-30)', () => {
  expect(listed(epochs([0, 0], [1, 10], [2, 10]))).toEqual([
    [0, 0],
    [2, 10],
  ])
  expect(listed(epochs([0, 0], [3, 10], [1, 5]))).toEqual([
    [0, 0],
    [1, 5],
  ])
  expect(listed(epochs([4, 10], [4, 3]))).toEqual([[4, 3]])
})

test('cutting the end forgets epochs that began there or later (R-30)', () => {
  const cache = epochs([0, 0], [1, 5], [2, 10])
  expect(cache.truncateFromEnd(10)).toBe(true)
  expect(listed(cache)).toEqual([
    [0, 0],
    [1, 5],
  ])
  expect(cache.truncateFromEnd(6)).toBe(false)
  expect(cache.truncateFromEnd(0)).toBe(true)
  expect(cache.latestEpoch).toBe(-1)
})

test('cutting the beginning keeps the epoch that covers it, beginning there (R-30)', () => {
  const cache = epochs([0, 0], [1, 5], [2, 10])
  cache.truncateFromStart(7)
  expect(listed(cache)).toEqual([
    [1, 7],
    [2, 10],
  ])
  cache.truncateFromStart(20)
  expect(listed(cache)).toEqual([[2, 20]])
  cache.truncateFromStart(15)
  expect(listed(cache)).toEqual([[2, 20]])
})

test('where an epoch ended: the latest with the log, others where the next begins (R-31)', () => {
  const cache = epochs([2, 4], [5, 10], [7, 20])
  expect(cache.endOffsetFor(7, 33)).toEqual(end(7, 33))
  expect(cache.endOffsetFor(5, 33)).toEqual(end(5, 20))
  expect(cache.endOffsetFor(6, 33)).toEqual(end(5, 20))
  expect(cache.endOffsetFor(2, 33)).toEqual(end(2, 10))
  expect(cache.endOffsetFor(3, 33)).toEqual(end(2, 10))
  expect(cache.endOffsetFor(1, 33)).toEqual(end(1, 4))
  expect(cache.endOffsetFor(8, 33)).toEqual(end(-1, -1))
  expect(cache.endOffsetFor(-1, 33)).toEqual(end(-1, -1))
  expect(new LeaderEpochs().endOffsetFor(0, 33)).toEqual(end(-1, -1))
})

test('the epoch of an offset is that of the last entry at or below it', () => {
  const cache = epochs([2, 4], [5, 10])
  expect([3, 4, 9, 10, 99].map(offset => cache.epochOf(offset))).toEqual([-1, 2, 2, 5, 5])
})

test('both numbers ascend whatever is entered or cut, and a checkpoint gives the same again', () => {
  const change = fc.oneof(
    fc.tuple(fc.constant('assign' as const), fc.nat(12), fc.nat(40)),
    fc.tuple(fc.constant('end' as const), fc.nat(40), fc.constant(0)),
    fc.tuple(fc.constant('start' as const), fc.nat(40), fc.constant(0)),
  )
  fc.assert(
    fc.property(fc.array(change, { maxLength: 25 }), changes => {
      const cache = new LeaderEpochs()
      for (const [what, a, b] of changes) {
        if (what === 'assign') cache.assign(a, b)
        else if (what === 'end') cache.truncateFromEnd(a)
        else cache.truncateFromStart(a)
        const entries = listed(cache)
        for (let at = 1; at < entries.length; at++) {
          expect(entries[at]![0]).toBeGreaterThan(entries[at - 1]![0]!)
          expect(entries[at]![1]).toBeGreaterThan(entries[at - 1]![1]!)
        }
        if (what === 'end') for (const [, startOffset] of entries) expect(startOffset).toBeLessThan(a)
      }
      expect(listed(LeaderEpochs.fromBytes(cache.toBytes()))).toEqual(listed(cache))
    }),
    { numRuns: 300 },
  )
})

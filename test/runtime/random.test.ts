import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Random } from '../../src/runtime/random.ts'

const draws = (random: Random, count: number, n?: number) =>
  Array.from({ length: count }, () => (n === undefined ? random.next() : random.below(n)))

test('a seed gives these values, on every machine and in every version', () => {
  expect(draws(new Random(1), 4)).toEqual([493206110, 2979554088, 3506865231, 558305031])
  expect(draws(new Random(1), 10, 6)).toEqual([2, 0, 3, 3, 1, 0, 2, 1, 3, 4])
  expect(draws(new Random(1).fork('network.delay'), 3)).toEqual([394795355, 3610132185, 427217639])
})

test('seeds that differ only above 32 bits give other values', () => {
  expect(draws(new Random(2 ** 40 + 1), 2)).toEqual([3570532990, 121140642])
})

test('a draw lies below its bound', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, n) => {
      const draw = new Random(seed).below(n)
      expect(Number.isInteger(draw) && draw >= 0 && draw < n).toBe(true)
    }),
  )
})

test('every side of a die comes up about as often as the others', () => {
  for (const sides of [2, 6, 10, 1000]) {
    const counts = new Array<number>(sides).fill(0)
    const random = new Random(7)
    for (let i = 0; i < 200_000; i++) counts[random.below(sides)]!++
    const expected = 200_000 / sides
    // Chi-squared: its mean is sides − 1, its deviation √(2 (sides − 1)); five deviations are one in millions.
    const chi = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    expect(chi).toBeLessThan(sides - 1 + 5 * Math.sqrt(2 * (sides - 1)))
  }
})

test('a bound that does not divide 2^32 favours nobody: three quarters of it come up in equal thirds', () => {
  const n = 3 * 2 ** 30
  const thirds = [0, 0, 0]
  const random = new Random(11)
  // Without rejection the first third would come up twice as often as the others.
  for (let i = 0; i < 30_000; i++) thirds[Math.floor(random.below(n) / 2 ** 30)]!++
  for (const count of thirds) expect(Math.abs(count - 10_000)).toBeLessThan(500)
})

test('a fork is named: the same name is the same stream, however much was drawn before', () => {
  const [fresh, used] = [new Random(5), new Random(5)]
  draws(used, 100)
  expect(draws(used.fork('elections'), 5)).toEqual(draws(fresh.fork('elections'), 5))
  expect(draws(fresh.fork('elections'), 5)).not.toEqual(draws(fresh.fork('delays'), 5))
})

test('drawing from a fork leaves its origin and its sisters where they were', () => {
  const [one, other] = [new Random(5), new Random(5)]
  draws(one.fork('a'), 50)
  expect(draws(one, 5)).toEqual(draws(other, 5))
  const [b, again] = [one.fork('b'), other.fork('b')]
  expect(draws(b, 5)).toEqual(draws(again, 5))
})

test.each([0, -1, 1.5, Number.NaN, 2 ** 32 + 1])('a draw below %s is refused', n => {
  expect(() => new Random(1).below(n)).toThrow(`a draw needs an integer from 1 to 2^32, not ${n}`)
})

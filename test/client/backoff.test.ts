import { expect, test } from 'vitest'
import { Backoff } from '../../src/client/backoff.ts'
import { VirtualRuntime } from '../../src/runtime/virtual.ts'

test('the pause before a retry doubles, 20 % more or less, and is cut at its maximum (C-36)', () => {
  const backoff = new Backoff(new VirtualRuntime({ seed: 3 }), 'retry', 100, 1_000)
  const range = (failures: number) => {
    const drawn = Array.from({ length: 2_000 }, () => backoff.delay(failures))
    return [Math.min(...drawn), Math.max(...drawn)]
  }
  expect([1, 2, 3, 4, 40].map(range)).toEqual([
    [80, 120],
    [160, 240],
    [320, 480],
    [640, 960],
    [1_000, 1_000],
  ])
  expect(range(5)[0]).toBeGreaterThanOrEqual(800)
})

test('an initial pause above the maximum is the maximum (C-7)', () => {
  const backoff = new Backoff(new VirtualRuntime({ seed: 3 }), 'retry', 5_000, 1_000)
  for (let failures = 1; failures < 5; failures++) expect(backoff.delay(failures)).toBeLessThanOrEqual(1_000)
})

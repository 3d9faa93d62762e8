import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Slab } from '../../src/redis/batch-entries.ts'

test('memory that was not given back is never handed out again', () => {
  const sizes = fc.integer({ min: 1, max: 300_000 })
  // A number gives back one of those that are held.
  const steps = fc.array(fc.oneof(sizes, fc.record({ back: fc.nat() })), { minLength: 20, maxLength: 200 })
  fc.assert(
    fc.property(steps, given => {
      const slab = new Slab()
      const held: { bytes: Buffer; mark: number }[] = []
      for (const [mark, step] of given.entries()) {
        if (typeof step === 'number') {
          const bytes = slab.take(step)
          expect(bytes.length).toBe(step)
          held.push({ bytes: bytes.fill(mark & 0xff), mark: mark & 0xff })
        } else if (held.length > 0) slab.giveBack(held.splice(step.back % held.length, 1)[0]!.bytes)
        expect(held.every(({ bytes, mark }) => bytes[0] === mark && bytes.at(-1) === mark)).toBe(true)
      }
    }),
    { numRuns: 50 },
  )
})

test('memory that was given back is used again', () => {
  const slab = new Slab()
  const pieces = new Set<ArrayBufferLike>()
  for (let n = 0; n < 100; n++) {
    const taken = Array.from({ length: 20 }, () => slab.take(100_000))
    for (const bytes of taken) {
      pieces.add(bytes.buffer)
      slab.giveBack(bytes)
    }
  }
  expect(pieces.size).toBeLessThanOrEqual(3)
})

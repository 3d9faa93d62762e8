import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32c } from '../../src/wire/crc32c.ts'
import { bytesOf, vectors } from './vectors.ts'

const golden = vectors<{ crc32c: { hex: string; crc: string }[] }>('vectors/primitives').crc32c

describe('CRC-32C', () => {
  test('of the digits 1 to 9 is 0xE3069283 (V-1)', () => {
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283)
  })

  test("is Kafka's for every vector", () => {
    expect(golden.length).toBeGreaterThan(20)
    for (const { hex, crc } of golden) expect(crc32c(bytesOf(hex)), hex).toBe(Number(crc))
  })

  test('runs over several slices as over one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), fc.nat(200), (bytes, a, b) => {
        const [from, to] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)]
        let crc = crc32c(bytes, 0, from)
        crc = crc32c(bytes, from, to, crc)
        crc = crc32c(bytes, to, bytes.length, crc)
        expect(crc).toBe(crc32c(bytes))
      }),
    )
  })

  test('notices every single flipped bit', () => {
    const bytes = Uint8Array.from({ length: 40 }, (_, i) => i * 7)
    const before = crc32c(bytes)
    for (let bit = 0; bit < 320; bit++) {
      const damaged = bytes.slice()
      damaged[bit >> 3]! ^= 1 << (bit & 7)
      expect(crc32c(damaged)).not.toBe(before)
    }
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32c } from '../../src/wire/crc32c.ts'
import { DISTANCES, makeWideCrc, WIDE_BYTES } from '../../src/wire/crc32c-wide.ts'
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

  const table = Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    return crc
  })
  const byteByByte = (bytes: Iterable<number>, seed: number) => {
    let crc = seed
    for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]!
    return crc
  }

  test('stays the same when a byte is struck out and added to those at the distances behind it', () => {
    const [, , longest] = DISTANCES
    for (const byte of [1, 0x80, 0x5a]) {
      const [before, after] = [new Uint8Array(longest + 8), new Uint8Array(longest + 8)]
      before[3] = byte
      for (const distance of DISTANCES) after[3 + distance] = byte
      expect(byteByByte(after, 0)).toBe(byteByByte(before, 0))
      expect(byteByByte(after, 0)).not.toBe(0)
    }
  })

  test('of big pieces is the same by vectors as byte by byte, whatever came before, wherever they lie', () => {
    const wide = makeWideCrc((view, seed) =>
      byteByByte(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), seed),
    )!
    expect(wide).toBeDefined()
    const memories = [
      (length: number) => new Uint8Array(length),
      (length: number) => new Uint8Array(new SharedArrayBuffer(length)),
    ]
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer(),
        fc.nat(40),
        fc.integer({ min: WIDE_BYTES, max: 80_000 }),
        fc.constantFrom(...memories),
        (start, seed, from, length, memory) => {
          const bytes = memory(from + length + 7)
          for (let at = 0, random = start; at < bytes.length; at++) {
            random = (Math.imul(random, 1_103_515_245) + 12_345) | 0
            bytes[at] = random >>> 16
          }
          expect(wide(bytes, from, from + length, seed)).toBe(byteByByte(bytes.subarray(from, from + length), seed))
        },
      ),
      { numRuns: 60 },
    )
  })

  test('of a big piece does not change when the wide way takes over, after a megabyte of them', () => {
    const big = Uint8Array.from({ length: 300_001 }, (_, i) => (i * i) >>> 3)
    const inParts = () => {
      let crc = 0
      for (let at = 0; at < big.length; at += 1000) crc = crc32c(big, at, Math.min(at + 1000, big.length), crc)
      return crc
    }
    const expected = inParts()
    expect(Array.from({ length: 10 }, () => crc32c(big))).toEqual(new Array(10).fill(expected))
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

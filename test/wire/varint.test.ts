import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  readUvarint,
  readVarint,
  readVarlong,
  sizeOfUvarint,
  sizeOfVarint,
  sizeOfVarlong,
  writeUvarint,
  writeVarint,
  writeVarlong,
} from '../../src/wire/varint.ts'
import { bytesOf, hexOf, vectors } from './vectors.ts'

interface Vector {
  value: string
  hex: string
}

const golden = vectors<{ uvarint: Vector[]; varint: Vector[]; varlong: Vector[] }>('vectors/primitives')

const kinds = {
  uvarint: {
    read: readUvarint,
    write: writeUvarint,
    size: sizeOfUvarint,
    numbers: fc.integer({ min: 0, max: 0xffffffff }),
  },
  varint: { read: readVarint, write: writeVarint, size: sizeOfVarint, numbers: fc.integer() },
  varlong: { read: readVarlong, write: writeVarlong, size: sizeOfVarlong, numbers: fc.maxSafeInteger() },
}

describe.each(['uvarint', 'varint', 'varlong'] as const)('%s (W-21, W-22)', name => {
  const { read, write, size, numbers } = kinds[name]

  test("is Kafka's for every vector, and what lies beyond ±2^53 is refused", () => {
    expect(golden[name].length).toBeGreaterThanOrEqual(60)
    for (const { value, hex } of golden[name]) {
      const bytes = bytesOf(hex)
      const number = Number(value)
      if (!Number.isSafeInteger(number)) {
        expect(() => read({ bytes, at: 0 }), value).toThrow(/±2\^53/)
        expect(() => write(new Uint8Array(10), 0, number), value).toThrow(/±2\^53/)
        continue
      }
      const cursor = { bytes, at: 0 }
      expect(read(cursor)).toBe(number)
      expect(cursor.at).toBe(bytes.length)
      expect(size(number), value).toBe(bytes.length)
      const written = new Uint8Array(12)
      const end = write(written, 1, number)
      expect(hexOf(written.subarray(1, end))).toBe(hex)
    }
  })

  test('reads what it wrote, in as many bytes as it said', () => {
    fc.assert(
      fc.property(numbers, number => {
        const bytes = new Uint8Array(10)
        const end = write(bytes, 0, number)
        expect(end).toBe(size(number))
        const cursor = { bytes: bytes.subarray(0, end), at: 0 }
        expect(read(cursor)).toBe(number)
        expect(cursor.at).toBe(end)
        expect(() => read({ bytes: bytes.subarray(0, end - 1), at: 0 })).toThrow(/end within/)
      }),
    )
  })

  test('refuses more bytes than it may have', () => {
    expect(() => read({ bytes: new Uint8Array(11).fill(0x80), at: 0 })).toThrow(/longer than/)
  })
})

test('a varlong reaches to both ends of the safe integers', () => {
  for (const number of [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    const bytes = new Uint8Array(10)
    const end = writeVarlong(bytes, 0, number)
    expect(readVarlong({ bytes, at: 0 })).toBe(number)
    expect(end).toBe(8)
  }
})

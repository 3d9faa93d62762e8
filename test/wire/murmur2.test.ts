import { describe, expect, test } from 'vitest'
import { murmur2, partitionOfKey } from '../../src/wire/murmur2.ts'
import { bytesOf, vectors } from './vectors.ts'

const golden = vectors<{
  partitionCounts: number[]
  vectors: { key: string; murmur2: number; partitions: number[] }[]
}>('vectors/murmur2')

describe('the partition of a key', () => {
  test("is Kafka's for every vector (C-11)", () => {
    expect(golden.vectors.length).toBeGreaterThan(100)
    for (const vector of golden.vectors) {
      const key = bytesOf(vector.key)
      expect(murmur2(key), vector.key).toBe(vector.murmur2)
      expect(golden.partitionCounts.map(count => partitionOfKey(key, count))).toEqual(vector.partitions)
    }
  })

  // V-7
  test.each([
    ['', 275646681, [1, 0, 3, 1, 31]],
    ['k', -1567496736, [0, 2, 2, 2, 12]],
    ['key', -1079937367, [1, 1, 1, 1, 31]],
    ['order-1', 1221710326, [0, 1, 4, 6, 26]],
    ['foobar', -790332482, [0, 0, 0, 6, 16]],
    ['ユーザー', -1765709869, [1, 1, 1, 9, 29]],
    ['21', -973932308, [0, 0, 0, 0, 40]],
  ])('%j among 2, 3, 6, 10 and 50 (V-7)', (text, hash, partitions) => {
    const key = new TextEncoder().encode(text)
    expect(murmur2(key)).toBe(hash)
    expect([2, 3, 6, 10, 50].map(count => partitionOfKey(key, count))).toEqual(partitions)
  })
})

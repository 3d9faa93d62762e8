import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { compress, compressionIds, decompress, loadInstalledCodecs } from '../../src/wire/compression.ts'
import { batchVectors, bytesOf, hexOf } from './vectors.ts'

beforeAll(loadInstalledCodecs)

const names = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const broken = expect.objectContaining({ errorName: 'UNKNOWN_SERVER_ERROR' })

/** Quicker to compare than the bytes. */
const hashOf = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex')

/** Bytes that repeat themselves, over several blocks of every codec. */
const long = Uint8Array.from({ length: 300_000 }, (_, i) => ((i % 251) ^ (i >> 12)) & 0xff)

describe.each(names)('%s (B-5)', name => {
  const id = compressionIds[name]

  test('gives back what it was given, however much it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(60), (bytes, times) => {
        const plain = Uint8Array.from({ length: bytes.length * times }, (_, i) => bytes[i % bytes.length]!)
        expect(hashOf(decompress(id, compress(name, plain)))).toBe(hashOf(plain))
      }),
      { numRuns: 50 },
    )
    const packed = compress(name, long)
    expect(packed.length).toBeLessThan(long.length / 2)
    expect(hashOf(decompress(id, packed))).toBe(hashOf(long))
  })

  test('answers with plain memory of its own', () => {
    for (const bytes of [compress(name, long.subarray(0, 1000)), decompress(id, compress(name, long))]) {
      expect(bytes.constructor).toBe(Uint8Array)
      expect(bytes.buffer.byteLength).toBeLessThanOrEqual(2 * bytes.length)
    }
  })

  test('refuses garbage, cuts and damage as Kafka does (P-16)', () => {
    expect(() => decompress(id, new Uint8Array(0))).toThrow(broken)
    expect(() =>
      decompress(
        id,
        Uint8Array.from({ length: 60 }, (_, i) => i * 37 + 1),
      ),
    ).toThrow(broken)
    const packed = compress(name, long.subarray(0, 50_000))
    for (const end of [1, 6, 17, packed.length >> 1, packed.length - 1]) {
      expect(() => decompress(id, packed.subarray(0, end)), `${end}`).toThrow(broken)
    }
  })

  test('refuses a body that would grow beyond the limit', () => {
    const bomb = compress(name, new Uint8Array(1_000_000))
    expect(bomb.length).toBeLessThan(60_000)
    expect(() => decompress(id, bomb, 100_000)).toThrow(broken)
    expect(decompress(id, bomb, 1_200_000)).toHaveLength(1_000_000)
  })

  test("takes every level that Kafka's configuration allows", () => {
    const levels = { gzip: [-1, 1, 9], snappy: [], lz4: [1, 9, 17], zstd: [-131072, 1, 3, 22] }[name]
    for (const level of levels) expect(hashOf(decompress(id, compress(name, long, level)))).toBe(hashOf(long))
  })

  test("reads the bodies of Kafka's own batches", () => {
    const vectors = batchVectors.filter(vector => vector.compression === name)
    expect(vectors.length).toBeGreaterThanOrEqual(5)
    for (const vector of vectors) expect(decompress(id, bytesOf(vector.hex).subarray(61)).length).toBeGreaterThan(0)
  })
})

describe('the framings of Kafka (B-5)', () => {
  test('snappy is a xerial stream of blocks of 32 KiB', () => {
    const packed = compress('snappy', long)
    expect(hexOf(packed.subarray(0, 16))).toBe('82534e41505059000000000100000001')
    const view = new DataView(packed.buffer, packed.byteOffset)
    const blocks: string[] = []
    // Raw snappy begins with the length of its content: 32768 is 808002, the last 5088 are e027.
    for (let at = 16; at < packed.length; at += 4 + view.getUint32(at)) {
      blocks.push(hexOf(packed.subarray(at + 4, at + 7))!)
    }
    expect(blocks).toEqual([...Array(9).fill('808002'), expect.stringMatching(/^e027/)])
  })

  test('snappy is read without the stream around it, too', () => {
    const packed = compress('snappy', long.subarray(0, 1000))
    expect(hashOf(decompress(2, packed.subarray(20)))).toBe(hashOf(long.slice(0, 1000)))
  })

  test('lz4 is a frame of independent blocks of 64 KiB with a true header checksum', () => {
    expect(hexOf(compress('lz4', long).subarray(0, 7))).toBe('04224d18604082')
    expect(hexOf(compress('lz4', Uint8Array.of(1, 2, 3)))).toBe('04224d186040820300008001020300000000')
  })

  test('lz4 with a false header checksum, or blocks that depend on one another, is refused', () => {
    for (const [at, value] of [
      [6, 0x83],
      [4, 0x40],
      [4, 0xa0],
      [5, 0x30],
    ] as const) {
      const packed = compress('lz4', long)
      packed[at] = value
      expect(() => decompress(3, packed)).toThrow(broken)
    }
  })

  test('lz4 frames of other clients are read: larger blocks, content size, checksums', async () => {
    const { compressFrameSync } = await import('lz4-napi')
    const frame = compressFrameSync(Buffer.from(long), { contentChecksum: true, blockChecksums: true })
    expect(hashOf(decompress(3, frame))).toBe(hashOf(long))
  })

  test('zstd frames behind one another are read as one body', () => {
    const frames = [long.subarray(0, 1000), long.subarray(1000, 200_000)].map(piece => compress('zstd', piece))
    expect(hashOf(decompress(4, new Uint8Array(Buffer.concat(frames))))).toBe(hashOf(long.slice(0, 200_000)))
  })
})

describe('a codec', () => {
  test('none leaves the body as it is', () => {
    expect(hexOf(decompress(0, compress('none', Uint8Array.of(1, 2, 3))))).toBe('010203')
  })

  test.each([5, 6, 7])('number %i is unknown (P-16)', id => {
    expect(() => decompress(id, Uint8Array.of(1))).toThrow(broken)
  })
})

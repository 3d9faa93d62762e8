import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { BatchBuilder, batchOf, rebuilt } from '../../src/wire/batch-builder.ts'
import { type CompressionName, loadCodec } from '../../src/wire/compression.ts'
import { estimateSizeUpperBound, type LogRecord, recordsOf } from '../../src/wire/record.ts'
import { RecordBatch, verifyCrc } from '../../src/wire/record-batch.ts'
import { hexOf } from './vectors.ts'

beforeAll(async () => {
  for (const name of ['snappy', 'lz4', 'zstd'] as const) await loadCodec(name)
})

function wholeHex(batch: RecordBatch): string {
  return `${hexOf(batch.head)}${hexOf(batch.body)}`
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

const bytes = fc.option(fc.uint8Array({ maxLength: 100 }), { nil: null })
const header = fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 20 }), value: bytes })
const record = fc.record({
  timestamp: fc.oneof(fc.integer({ min: -1, max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 2 ** 45 })),
  key: bytes,
  value: bytes,
  headers: fc.array(header, { maxLength: 4 }),
})

function plain(records: readonly Partial<LogRecord>[]): unknown[] {
  return records.map(({ timestamp, key, value, headers }) => ({
    timestamp,
    key: hexOf(key!),
    value: hexOf(value!),
    headers: headers!.map(({ key, value }) => [key, hexOf(value)]),
  }))
}

describe('a batch builder', () => {
  test('writes V-2: one record k = v', () => {
    const builder = new BatchBuilder()
    builder.append(1000, utf8('k'), utf8('v'))
    expect(wholeHex(builder.build())).toBe(
      '00000000000000000000003affffffff02716a618900000000000000000000000003e800000000000003e8ffffffffffffffffffffffffffff0000000110000000026b027600',
    )
  })

  test('writes V-3: a producer, two records, a header, a null key and a null value', () => {
    const builder = new BatchBuilder()
    builder.append(1700000000000, null, utf8('a'), [{ key: 'h', value: utf8('1') }])
    builder.append(1700000000005, utf8('k'), null)
    const batch = builder.build({ producerId: 7, producerEpoch: 0, baseSequence: 0 })
    expect(wholeHex(batch)).toBe(
      '000000000000000000000045ffffffff02fed81b440000000000010000018bcfe568000000018bcfe568050000000000000007000000000000000000021600000001026102026802310e000a02026b0100',
    )
  })

  test('knows its size before and after every record', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), records => {
        const builder = new BatchBuilder({ capacity: 16 })
        expect(builder.size).toBe(61)
        for (const [i, { timestamp, key, value, headers }] of records.entries()) {
          const expected = builder.sizeWith(timestamp, key, value, headers)
          expect(builder.append(timestamp, key, value, headers)).toBe(i)
          expect(builder.size).toBe(expected)
        }
        expect(builder.count).toBe(records.length)
        const batch = builder.build()
        expect(batch.size).toBe(builder.size)
        expect(batch.maxTimestamp).toBe(Math.max(...records.map(({ timestamp }) => timestamp)))
        expect(batch.baseTimestamp).toBe(records[0]!.timestamp)
      }),
    )
  })

  test('gives back in order what was put in, with every codec, under a true CRC (B-6)', () => {
    const codec = fc.constantFrom<CompressionName>('none', 'gzip', 'snappy', 'lz4', 'zstd')
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), codec, (records, compression) => {
        const batch = batchOf(records, { compression, producerId: 3, producerEpoch: 1, baseSequence: 2147483640 })
        const copy = new RecordBatch(batch.head.slice(), batch.body.slice())
        expect(verifyCrc(copy)).toBe(true)
        const read = recordsOf(copy)
        expect(plain(read)).toEqual(plain(records))
        expect(read.map(({ offset }) => offset)).toEqual(records.map((_, i) => i))
        expect(read.map(({ sequence }) => sequence)).toEqual(records.map((_, i) => (i < 8 ? 2147483640 + i : i - 8)))
      }),
    )
  })

  test('is built again under another producer, around the same body', () => {
    const builder = new BatchBuilder()
    builder.append(1000, null, utf8('v'))
    const first = builder.build({ producerId: 7, producerEpoch: 0, baseSequence: 5 })
    const second = builder.build({ producerId: 8, producerEpoch: 0, baseSequence: 0 })
    expect(second.body).toBe(first.body)
    expect(second).toMatchObject({ producerId: 8, baseSequence: 0 })
    expect(first).toMatchObject({ producerId: 7, baseSequence: 5 })
    expect(verifyCrc(new RecordBatch(second.head.slice(), second.body.slice()))).toBe(true)
  })

  test('takes no record once built, and builds none without a record', () => {
    const builder = new BatchBuilder()
    expect(() => builder.build()).toThrow(/without a record/)
    builder.append(1, null, null)
    builder.build()
    expect(() => builder.append(2, null, null)).toThrow(/takes no more records/)
  })

  test('hands out the memory it wrote to, unless more than half of it is empty', () => {
    const full = new BatchBuilder({ capacity: 128 })
    full.append(1, null, new Uint8Array(100))
    expect(full.build().body.buffer.byteLength).toBe(128)
    const nearlyEmpty = new BatchBuilder({ capacity: 16384 })
    nearlyEmpty.append(1, null, new Uint8Array(100))
    expect(nearlyEmpty.build().body.buffer.byteLength).toBe(109)
  })

  test('does not look at bytes again that it was given', () => {
    const value = utf8('before')
    const builder = new BatchBuilder()
    builder.append(1, null, value)
    value.set(utf8('after!'))
    expect(hexOf(recordsOf(builder.build())[0]!.value)).toBe(hexOf(utf8('before')))
  })

  test('writes half a surrogate pair as U+FFFD', () => {
    const batch = batchOf([{ headers: [{ key: 'a\ud800', value: null }] }])
    expect(recordsOf(batch)[0]!.headers[0]!.key).toBe('a\ufffd')
  })
})

describe('the size a producer expects (B-7)', () => {
  // producer-timeline "too-large-local": the value + 86.
  test.each([128, 922, 8191])('of a value of %i bytes alone is 86 more', length => {
    expect(estimateSizeUpperBound(null, new Uint8Array(length))).toBe(length + 86)
  })

  test('counts key and headers with their lengths', () => {
    const headers = [{ key: 'é', value: utf8('xyz') }]
    expect(estimateSizeUpperBound(utf8('key'), null, headers)).toBe(61 + 21 + 4 + 1 + 1 + 3 + 4)
  })

  test('is never less than the batch turns out', () => {
    fc.assert(
      fc.property(record, ({ timestamp, key, value, headers }) => {
        const builder = new BatchBuilder()
        builder.append(timestamp, key, value, headers)
        expect(estimateSizeUpperBound(key, value, headers)).toBeGreaterThanOrEqual(builder.size)
      }),
    )
  })
})

describe('what compaction leaves of a batch (S-22)', () => {
  const batch = batchOf(
    [1, 2, 3, 4].map(n => ({ key: `k${n}`, value: `v${n}`, timestamp: 1000 + n })),
    { baseOffset: 40, leaderEpoch: 2, producerId: 9, producerEpoch: 1, baseSequence: 30, transactional: true },
  )

  test('keeps offsets, sequences and the end of the batch', () => {
    const left = rebuilt(
      batch,
      recordsOf(batch).filter(({ offset }) => offset === 41 || offset === 42),
    )
    expect(left).toMatchObject({
      baseOffset: 40,
      lastOffset: 43,
      leaderEpoch: 2,
      count: 2,
      baseSequence: 30,
      lastSequence: 33,
      isTransactional: true,
      baseTimestamp: 1002,
      maxTimestamp: 1003,
    })
    expect(recordsOf(left).map(({ offset, sequence }) => [offset, sequence])).toEqual([
      [41, 31],
      [42, 32],
    ])
  })

  test('keeps a delete horizon once it has one', () => {
    const marked = rebuilt(batch, recordsOf(batch).slice(1), { deleteHorizonMs: 500_000 })
    expect(marked.deleteHorizonMs).toBe(500_000)
    const again = rebuilt(marked, recordsOf(marked).slice(1))
    expect(again.deleteHorizonMs).toBe(500_000)
    expect(recordsOf(again).map(({ timestamp }) => timestamp)).toEqual([1003, 1004])
  })

  test('changes its codec when the topic says so (P-17)', () => {
    const packed = rebuilt(batch, recordsOf(batch), { compression: 'gzip' })
    expect(packed.compression).toBe(1)
    expect(plain(recordsOf(packed))).toEqual(plain(recordsOf(batch)))
    expect(wholeHex(rebuilt(packed, recordsOf(packed), { compression: 'none' }))).toBe(wholeHex(batch))
  })
})

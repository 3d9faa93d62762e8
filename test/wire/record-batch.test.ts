import { beforeAll, describe, expect, test } from 'vitest'
import { BatchBuilder, batchOf, rebuilt } from '../../src/wire/batch-builder.ts'
import { loadCodec } from '../../src/wire/compression.ts'
import { iterateRecords, type LogRecord, RecordCursor, recordsOf } from '../../src/wire/record.ts'
import { HEAD_BYTES, incrementSequence, RecordBatch, sealed, verifyCrc } from '../../src/wire/record-batch.ts'
import { Records } from '../../src/wire/records.ts'
import { type BatchVector, batchVectors, bytesOf, hexOf, numberOf } from './vectors.ts'

beforeAll(async () => {
  for (const name of ['snappy', 'lz4', 'zstd'] as const) await loadCodec(name)
})

const longs = ['baseOffset', 'baseTimestamp', 'maxTimestamp', 'producerId'] as const
const readable = batchVectors.filter(vector => longs.every(field => numberOf(vector[field]) !== undefined))
const refused = batchVectors.filter(vector => !readable.includes(vector))

function batchFrom(vector: BatchVector): RecordBatch {
  const bytes = bytesOf(vector.hex)
  return new RecordBatch(bytes.subarray(0, HEAD_BYTES), bytes.subarray(HEAD_BYTES))
}

function wholeHex(batch: RecordBatch): string {
  return `${hexOf(batch.head)}${hexOf(batch.body)}`
}

/** Records in the form of the vectors. */
function plain(records: Iterable<LogRecord>): unknown[] {
  return [...records].map(record => ({
    offset: String(record.offset),
    timestamp: String(record.timestamp),
    sequence: record.sequence,
    key: hexOf(record.key),
    value: hexOf(record.value),
    headers: record.headers.map(header => [header.key, hexOf(header.value)]),
  }))
}

/** The records with their own timestamps, which LogAppendTime hides (B-4). */
function written(batch: RecordBatch): BatchBuilder {
  const horizon = batch.deleteHorizonMs
  const builder = new BatchBuilder(horizon === undefined ? {} : { deleteHorizonMs: horizon })
  const cursor = new RecordCursor(batch)
  while (cursor.next()) {
    const timestamp = batch.baseTimestamp + cursor.timestampDelta
    builder.append(timestamp, cursor.key(), cursor.value(), cursor.headers(), cursor.offsetDelta)
  }
  return builder
}

describe.each(readable)('Kafka’s batch: $name', vector => {
  test('reads as it was written, field by field (B-1, B-2, B-3)', () => {
    const batch = batchFrom(vector)
    expect(verifyCrc(batch)).toBe(true)
    expect(batch.size).toBe(vector.size)
    expect(batch.baseOffset).toBe(numberOf(vector.baseOffset))
    expect(batch.lastOffset).toBe(numberOf(vector.lastOffset))
    expect(batch.nextOffset).toBe(batch.lastOffset + 1)
    expect(batch.leaderEpoch).toBe(vector.partitionLeaderEpoch)
    expect(batch.magic).toBe(vector.magic)
    expect(batch.crc).toBe(Number(vector.crc))
    expect(batch.attributes).toBe(vector.attributes)
    expect(['none', 'gzip', 'snappy', 'lz4', 'zstd'][batch.compression]).toBe(vector.compression)
    expect(batch.timestampType).toBe(vector.timestampType)
    expect(batch.isTransactional).toBe(vector.transactional)
    expect(batch.isControl).toBe(vector.control)
    expect(batch.deleteHorizonMs ?? null).toBe(vector.deleteHorizonMs === null ? null : Number(vector.deleteHorizonMs))
    expect(batch.lastOffsetDelta).toBe(vector.lastOffsetDelta)
    expect(batch.baseTimestamp).toBe(numberOf(vector.baseTimestamp))
    expect(batch.maxTimestamp).toBe(numberOf(vector.maxTimestamp))
    expect(batch.producerId).toBe(numberOf(vector.producerId))
    expect(batch.producerEpoch).toBe(vector.producerEpoch)
    expect(batch.baseSequence).toBe(vector.baseSequence)
    expect(batch.lastSequence).toBe(vector.lastSequence)
    expect(batch.count).toBe(vector.count)
  })

  test('gives its records, at once and one by one (B-4, B-6)', () => {
    const batch = batchFrom(vector)
    expect(plain(recordsOf(batch))).toEqual(vector.records)
    expect(plain(iterateRecords(batch))).toEqual(vector.records)
  })

  test('is written again with the same content, and byte for byte when uncompressed', () => {
    const batch = batchFrom(vector)
    if (batch.count === 0) {
      expect(wholeHex(rebuilt(batch, []))).toBe(vector.hex)
      return
    }
    const again = written(batch).build({
      ...batch.fields,
      compression: vector.compression,
      timestampType: vector.timestampType,
      transactional: vector.transactional,
      control: vector.control,
    })
    expect(verifyCrc(new RecordBatch(again.head.slice(), again.body.slice()))).toBe(true)
    if (vector.compression === 'none') expect(wholeHex(again)).toBe(vector.hex)
    expect(again.fields).toEqual(batch.fields)
    expect(plain(recordsOf(again))).toEqual(vector.records)
  })

  test('is found whole in the bytes of a field, and not when one byte is missing (F-7)', () => {
    const bytes = bytesOf(vector.hex)
    expect(new Records([bytes]).batches().map(wholeHex)).toEqual([vector.hex])
    expect(new Records([bytes.subarray(0, -1)]).batches()).toEqual([])
  })

  test('fails its CRC for any damage behind the CRC field', () => {
    for (const at of [21, 25, 40, HEAD_BYTES - 1, vector.size - 1]) {
      const bytes = bytesOf(vector.hex)
      bytes[at]! ^= 0x01
      expect(verifyCrc(new RecordBatch(bytes.subarray(0, HEAD_BYTES), bytes.subarray(HEAD_BYTES)))).toBe(false)
    }
  })
})

describe('numbers beyond ±2^53', () => {
  test('are in these vectors', () => {
    expect(refused.map(vector => vector.name)).toEqual([
      'timestamp near the int64 maximum',
      'offset near the int64 maximum, leader epoch maximum',
    ])
  })

  test.each(refused)('are refused with the exact number, never rounded: $name', vector => {
    expect(() => batchFrom(vector)).toThrow(/of a batch lies outside ±2\^53/)
    expect(() => batchFrom(vector)).toThrow(/922337203685477(5806|5797)/)
    expect(() => batchFrom(vector)).toThrow(expect.objectContaining({ errorName: 'INVALID_RECORD' }))
  })

  test('are plain damage when the CRC says so', () => {
    const bytes = bytesOf(batchVectors[0]!.hex)
    bytes[30] = 0x7f
    bytes[27] = 0x7f
    const broken = (): RecordBatch => new RecordBatch(bytes.subarray(0, HEAD_BYTES), bytes.subarray(HEAD_BYTES))
    expect(broken).toThrow(expect.objectContaining({ errorName: 'CORRUPT_MESSAGE' }))
  })

  test('stay what they are at both ends of int64: ±Infinity', () => {
    const fields = { ...batchOf([{ key: 'k' }]).fields, producerId: Number.POSITIVE_INFINITY }
    const batch = sealed({ ...fields, maxTimestamp: Number.NEGATIVE_INFINITY }, new Uint8Array(0))
    expect(hexOf(batch.head.subarray(35, 51))).toBe('80000000000000007fffffffffffffff')
    expect(batch.producerId).toBe(Number.POSITIVE_INFINITY)
    expect(batch.maxTimestamp).toBe(Number.NEGATIVE_INFINITY)
    expect(() => sealed({ ...fields, baseOffset: 2 ** 53 }, new Uint8Array(0))).toThrow(/±2\^53/)
  })
})

describe('a batch of a producer', () => {
  test('is placed by the leader under a head of its own, and shares the body (B-1)', () => {
    const batch = batchOf([{ key: 'k', value: 'v' }], { timestamp: 1000 })
    const placed = batch.placedAt(2 ** 40 + 7, 5)
    expect(placed.baseOffset).toBe(2 ** 40 + 7)
    expect(placed.leaderEpoch).toBe(5)
    expect(placed.body).toBe(batch.body)
    expect(placed.crc).toBe(batch.crc)
    expect(batch.baseOffset).toBe(0)
    expect(hexOf(placed.head.subarray(16))).toBe(hexOf(batch.head.subarray(16)))
    expect(verifyCrc(new RecordBatch(placed.head.slice(), placed.body.slice()))).toBe(true)
  })

  test('gets the time of the leader and a new CRC, its records untouched (P-14, P-18, P-19)', () => {
    const batch = batchOf(
      [
        { value: 'a', timestamp: 1000 },
        { value: 'b', timestamp: 1005 },
      ],
      { producerId: 7 },
    )
    const stamped = batch.withTimestamps('LogAppendTime', 9000)
    expect(stamped).toMatchObject({ isLogAppendTime: true, maxTimestamp: 9000, baseTimestamp: 1000, producerId: 7 })
    expect(stamped.body).toBe(batch.body)
    expect(verifyCrc(new RecordBatch(stamped.head.slice(), stamped.body))).toBe(true)
    expect(recordsOf(stamped).map(record => record.timestamp)).toEqual([9000, 9000])
    const back = stamped.withTimestamps('CreateTime', 1005)
    expect(wholeHex(back)).toBe(wholeHex(batch))
    expect(batch.withTimestamps('CreateTime', 1005)).toBe(batch)
  })
})

describe('a CRC that was checked', () => {
  const vector = batchVectors[0]!

  test('is trusted for that very head and body, also under the head of a leader', () => {
    const bytes = bytesOf(vector.hex)
    const batch = new RecordBatch(bytes.slice(0, HEAD_BYTES), bytes.slice(HEAD_BYTES))
    const before = batch.placedAt(3, 1)
    expect(verifyCrc(batch)).toBe(true)
    const after = batch.placedAt(4, 1)
    // Nobody may write to a body. Who does it all the same can tell who looks and who trusts.
    batch.body[0]! ^= 1
    expect(verifyCrc(batch)).toBe(true)
    expect(verifyCrc(after)).toBe(true)
    expect(verifyCrc(before)).toBe(false)
    expect(verifyCrc(new RecordBatch(batch.head, batch.body.slice()))).toBe(false)
    expect(verifyCrc(new RecordBatch(batch.head.slice(), batch.body))).toBe(false)
  })

  test('is not trusted because it was wrong once', () => {
    const bytes = bytesOf(vector.hex)
    const batch = new RecordBatch(bytes.subarray(0, HEAD_BYTES), bytes.subarray(HEAD_BYTES))
    bytes[70]! ^= 1
    expect(verifyCrc(batch)).toBe(false)
    bytes[70]! ^= 1
    expect(verifyCrc(batch)).toBe(true)
  })
})

test('a small batch does not pin the chunk that it came in', () => {
  const chunk = new Uint8Array(64 * 1024)
  chunk.set(bytesOf(batchVectors[0]!.hex), 500)
  const [batch] = new Records([chunk.subarray(500, 579)]).batches()
  expect(batch!.body.buffer).toBe(chunk.buffer)
  const own = batch!.unpinned()
  expect(wholeHex(own)).toBe(batchVectors[0]!.hex)
  expect(own.body.buffer.byteLength + own.head.buffer.byteLength).toBe(79)
  expect(verifyCrc(own)).toBe(true)
  expect(own.unpinned()).toBe(own)
})

test('sequences wrap at 2^31 (B-3)', () => {
  expect(incrementSequence(2147483647, 1)).toBe(0)
  expect(incrementSequence(2147483646, 3)).toBe(1)
  expect(incrementSequence(5, 2)).toBe(7)
})

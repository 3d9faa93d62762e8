import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { loadCodec } from '../../src/wire/compression.ts'
import { joined } from '../../src/wire/frame.ts'
import { HEAD_BYTES, type RecordBatch, sealed, verifyCrc } from '../../src/wire/record-batch.ts'
import { producedBatch, Records } from '../../src/wire/records.ts'
import { hexOf } from './vectors.ts'

beforeAll(async () => loadCodec('zstd'))

const first = batchOf([{ key: 'k', value: 'v' }], { timestamp: 1000 })
const second = batchOf([{ value: 'second' }, { value: 'third' }], { timestamp: 2000, baseOffset: 1 })
const emptied = sealed({ ...first.fields, count: 0, baseOffset: 3 }, new Uint8Array(0))

function wholeHex(batch: RecordBatch): string {
  return `${hexOf(batch.head)}${hexOf(batch.body)}`
}

function bytesOf(...batches: RecordBatch[]): Uint8Array {
  return joined(batches.flatMap(({ head, body }) => [head, body])).slice()
}

function changed(batch: RecordBatch, at: number, ...values: number[]): Uint8Array {
  const bytes = bytesOf(batch)
  bytes.set(values, at)
  return bytes
}

function withLength(length: number): Uint8Array {
  const bytes = bytesOf(first)
  new DataView(bytes.buffer).setInt32(8, length)
  return bytes
}

describe('the records of a field', () => {
  test('keep the very memory of the batches they are made of, and what is known of it', () => {
    const records = Records.of([first, second])
    expect(records.byteLength).toBe(first.size + second.size)
    expect(records.slices).toEqual([first.head, first.body, second.head, second.body])
    const read = new Records(records.slices).batches()
    expect(read).toHaveLength(2)
    expect(read[0]!.head).toBe(first.head)
    expect(read[0]!.body).toBe(first.body)
    expect(read[1]!.head).toBe(second.head)
    expect(read[1]!.body).toBe(second.body)
  })

  test('find batches in any slicing of their bytes', () => {
    const bytes = bytesOf(first, emptied, second)
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), cuts => {
        const ends = [...cuts, bytes.length].sort((a, b) => a - b)
        const slices = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
        const batches = new Records(slices).batches()
        expect(batches.map(wholeHex)).toEqual([first, emptied, second].map(wholeHex))
        for (const batch of batches) expect(verifyCrc(batch)).toBe(true)
      }),
    )
  })

  test('are views of one chunk, where they came in one', () => {
    const chunk = bytesOf(first, second)
    for (const batch of new Records([chunk]).batches()) {
      expect(batch.head.buffer).toBe(chunk.buffer)
      expect(batch.body.buffer).toBe(chunk.buffer)
    }
  })

  test('end before an incomplete batch, wherever it is cut (F-7)', () => {
    const bytes = bytesOf(first, second)
    for (let end = 0; end < bytes.length; end++) {
      expect(new Records([bytes.subarray(0, end)]).batches()).toHaveLength(end < first.size ? 0 : 1)
    }
  })

  test('are none when empty', () => {
    expect(Records.empty.batches()).toEqual([])
    expect(Records.of([])).toBe(Records.empty)
    expect(Records.empty.byteLength).toBe(0)
  })

  test.each([-1, 0, 13, 14, 48])('are corrupt with a batch of length %i', length => {
    const records = new Records([withLength(length)])
    expect(() => records.batches()).toThrow(expect.objectContaining({ errorName: 'CORRUPT_MESSAGE' }))
  })

  test('may hold a batch of the least length: one without records', () => {
    expect(new Records([emptied.head]).batches().map(wholeHex)).toEqual([wholeHex(emptied)])
  })
})

describe('what a Produce request may carry for a partition (P-6)', () => {
  const produced = (bytes: Uint8Array, version = 12): RecordBatch => producedBatch(new Records([bytes]), version)

  test('one batch', () => {
    expect(wholeHex(produced(bytesOf(first)))).toBe(wholeHex(first))
    expect(producedBatch(Records.of([first]), 3).body).toBe(first.body)
  })

  test('one batch, and behind it a second that is cut, or 5 or 16 bytes of anything, which is dropped', () => {
    const bytes = bytesOf(first, second)
    expect(wholeHex(produced(bytes.subarray(0, -1)))).toBe(wholeHex(first))
    expect(wholeHex(produced(bytes.subarray(0, first.size + 5)))).toBe(wholeHex(first))
    expect(wholeHex(produced(joined([bytesOf(first), new Uint8Array(16)])))).toBe(wholeHex(first))
  })

  test.each<[string, string, () => unknown]>([
    ['null', 'INVALID_RECORD', () => producedBatch(null, 12)],
    ['nothing', 'INVALID_RECORD', () => producedBatch(Records.empty, 12)],
    ['two batches', 'INVALID_RECORD', () => produced(bytesOf(first, second))],
    ['one batch and 17 zero bytes', 'CORRUPT_MESSAGE', () => produced(joined([bytesOf(first), new Uint8Array(17)]))],
    ['one batch and 70 zero bytes', 'CORRUPT_MESSAGE', () => produced(joined([bytesOf(first), new Uint8Array(70)]))],
    ['a batch cut by one byte', 'INVALID_RECORD', () => produced(bytesOf(first).subarray(0, -1))],
    ['the first 61 bytes', 'INVALID_RECORD', () => produced(bytesOf(first).subarray(0, HEAD_BYTES))],
    ['the first 20 bytes', 'INVALID_RECORD', () => produced(bytesOf(first).subarray(0, 20))],
    ['the first 10 bytes', 'INVALID_RECORD', () => produced(bytesOf(first).subarray(0, 10))],
    ['magic 0', 'INVALID_RECORD', () => produced(changed(first, 16, 0))],
    ['magic 1', 'INVALID_RECORD', () => produced(changed(first, 16, 1))],
    ['magic 3', 'CORRUPT_MESSAGE', () => produced(changed(first, 16, 3))],
    ['magic -1', 'CORRUPT_MESSAGE', () => produced(changed(first, 16, 0xff))],
    ['length 0', 'CORRUPT_MESSAGE', () => produced(withLength(0))],
    ['length -1', 'CORRUPT_MESSAGE', () => produced(withLength(-1))],
    ['length 10', 'CORRUPT_MESSAGE', () => produced(withLength(10))],
    ['length 48', 'CORRUPT_MESSAGE', () => produced(withLength(48))],
    ['length 60', 'INVALID_RECORD', () => produced(withLength(60))],
  ])('not: %s → %s', (_, errorName, produce) => {
    expect(produce).toThrow(expect.objectContaining({ name: expect.stringMatching(/Error$/), errorName }))
  })

  test('length 49 or 50: what is left over of the batch is no second one, but its CRC is wrong', () => {
    for (const length of [49, 50]) expect(verifyCrc(produced(withLength(length)))).toBe(false)
  })

  test('zstd from version 7 on', () => {
    const zstd = bytesOf(batchOf([{ value: 'v' }], { compression: 'zstd' }))
    for (const version of [3, 6]) {
      const refusal = expect.objectContaining({ errorName: 'UNSUPPORTED_COMPRESSION_TYPE' })
      expect(() => produced(zstd, version)).toThrow(refusal)
    }
    expect(produced(zstd, 7).compression).toBe(4)
  })
})

test('a produced batch that is a small part of what it came in has memory of its own, a big one and a whole slice have not', () => {
  const made = batchOf([{ value: 'small' }], { timestamp: 1 })
  const bytes = joined([made.head, made.body])
  const chunk = new Uint8Array(64 * 1024)
  chunk.set(bytes, 1_000)
  const small = producedBatch(new Records([chunk.subarray(1_000, 1_000 + bytes.length)]), 9)
  expect(small.body.buffer.byteLength).toBe(made.body.length)
  expect(Buffer.compare(small.body, made.body)).toBe(0)
  const big = batchOf([{ value: 'x'.repeat(500) }], { timestamp: 1 })
  const view = joined([big.head, big.body])
  expect(producedBatch(new Records([view]), 9).body.buffer).toBe(view.buffer)
  expect(producedBatch(new Records([made.head, made.body]), 9).body).toBe(made.body)
})

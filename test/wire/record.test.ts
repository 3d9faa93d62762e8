import { describe, expect, test } from 'vitest'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { iterateRecords, RecordCursor, recordsOf } from '../../src/wire/record.ts'
import { type HeadFields, type RecordBatch, sealed } from '../../src/wire/record-batch.ts'
import { bytesOf, hexOf } from './vectors.ts'

const sound = batchOf([{ key: 'k', value: 'v' }, { value: 'w' }], { timestamp: 1000 })

/** A batch with a true head around any body. */
function around(hex: string, fields: Partial<HeadFields> = {}): RecordBatch {
  return sealed({ ...sound.fields, lastOffsetDelta: 0, count: 1, ...fields }, bytesOf(hex))
}

const invalid = expect.objectContaining({ errorName: 'INVALID_RECORD' })

describe('a body that is not what its head says is INVALID_RECORD (B-6)', () => {
  test.each([
    ['a record too few', `${hexOf(sound.body)}`, { count: 3 }],
    ['a record too many', `${hexOf(sound.body)}`, { count: 1 }],
    ['no record', '', { count: 1 }],
    ['records where none should be', `${hexOf(sound.body)}`, { count: 0 }],
    ['a negative count', `${hexOf(sound.body)}`, { count: -1 }],
    ['a byte left over', '10000000026b02760000', {}],
    ['a byte missing', '10000000026b0276', {}],
    ['a length greater than its fields', '12000000026b02760000', {}],
    ['a length less than its fields', '0e000000026b027600', {}],
    ['a negative length', '01000000026b027600', {}],
    ['a key that reaches beyond the record', '10000000206b027600', {}],
    ['a value that reaches beyond the record', '10000000026b207600', {}],
    ['a negative header count', '10000000026b027601', {}],
    ['an absurd header count', '18000000026b0276feffffff0f', {}],
    ['a header without a key', '14000000026b0276020101', {}],
    ['a header key that reaches beyond the record', '14000000026b0276022078', {}],
    ['a varint that does not end', '10000000026b0276ffffffffffff', {}],
    ['a timestamp beyond ±2^53', '1e00fcffffffffffff1f00026b027600', { baseTimestamp: 1000 }],
    ['a timestamp delta beyond ±2^53', '2000feffffffffffffffff0100026b027600', {}],
  ])('%s', (_, hex, fields) => {
    const batch = around(hex, fields)
    expect(() => recordsOf(batch)).toThrow(invalid)
    expect(() => [...iterateRecords(batch)]).toThrow(invalid)
  })

  test('a payload of gzip too: a record too few, one too many', () => {
    const packed = batchOf([{ value: 'a' }, { value: 'b' }], { compression: 'gzip' })
    expect(() => recordsOf(sealed({ ...packed.fields, count: 3 }, packed.body))).toThrow(invalid)
    expect(() => recordsOf(sealed({ ...packed.fields, count: 1 }, packed.body))).toThrow(invalid)
  })

  test('every cut of a sound body', () => {
    for (let end = 0; end < sound.body.length; end++) {
      expect(() => recordsOf(sealed(sound.fields, sound.body.slice(0, end))), `${end}`).toThrow(invalid)
    }
  })
})

describe('reading records', () => {
  test('one by one, damage behind the last one asked for stays unseen', () => {
    const batch = sealed({ ...sound.fields, count: 3 }, sound.body)
    const records = iterateRecords(batch)
    expect(hexOf(records.next().value!.key)).toBe('6b')
    expect(records.next().done).toBe(false)
    expect(() => records.next()).toThrow(invalid)
  })

  test('does not look at the attributes of a record', () => {
    expect(recordsOf(around('10ff0000026b027600'))).toHaveLength(1)
  })

  test('takes any negative length of a key or value for null', () => {
    expect(recordsOf(around('0c000000050300'))).toMatchObject([{ key: null, value: null }])
  })

  test('shares the memory of the batch', () => {
    const [record] = recordsOf(sound)
    expect(record!.value!.buffer).toBe(sound.body.buffer)
  })

  test('walks over a batch without making records, for a leader that validates', () => {
    const cursor = new RecordCursor(sound)
    const seen: unknown[] = []
    while (cursor.next()) {
      seen.push([cursor.index, cursor.offset, cursor.timestamp, cursor.keyLength, cursor.valueLength])
    }
    expect(seen).toEqual([
      [0, 0, 1000, 1, 1],
      [1, 1, 1000, -1, 1],
    ])
  })
})

import { describe, expect, test } from 'vitest'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { controlBatch, controlKey, controlTypeOf, transactionMarkerOf } from '../../src/wire/control-record.ts'
import { recordsOf } from '../../src/wire/record.ts'
import { HEAD_BYTES, RecordBatch } from '../../src/wire/record-batch.ts'
import { batchVectors, bytesOf, hexOf } from './vectors.ts'

const marker = { producerId: 7, producerEpoch: 1, coordinatorEpoch: 3, timestamp: 1000, baseOffset: 42, leaderEpoch: 5 }

describe('the marker of a transaction (B-10, B-11)', () => {
  test('is V-4, for a commit', () => {
    const batch = controlBatch({ type: 'COMMIT', ...marker })
    expect(`${hexOf(batch.head)}${hexOf(batch.body)}`).toBe(
      '000000000000002a000000420000000502e6b9bca800300000000000000000000003e800000000000003e800000000000000070001ffffffff000000012000000008000000010c00000000000300',
    )
  })

  test('is V-4, for an abort', () => {
    const batch = controlBatch({ type: 'ABORT', ...marker })
    expect(batch.crc).toBe(0x12876ae0)
    expect(transactionMarkerOf(batch)).toEqual({ type: 'ABORT', ...marker })
  })

  test.each(batchVectors.filter(({ control, count }) => control && count === 1))('reads from $name', vector => {
    const bytes = bytesOf(vector.hex)
    const batch = new RecordBatch(bytes.subarray(0, HEAD_BYTES), bytes.subarray(HEAD_BYTES))
    const [, type, epoch] = /control (COMMIT|ABORT), coordinator epoch (\d+)/.exec(vector.name) ?? []
    if (type === undefined) {
      expect(controlTypeOf(recordsOf(batch)[0]!)).toBe('LEADER_CHANGE')
      expect(transactionMarkerOf(batch)).toBeUndefined()
      return
    }
    const read = transactionMarkerOf(batch)!
    expect(read).toMatchObject({ type, coordinatorEpoch: Number(epoch), producerEpoch: vector.producerEpoch })
    const again = controlBatch(read)
    expect(`${hexOf(again.head)}${hexOf(again.body)}`).toBe(vector.hex)
  })
})

describe('a control record', () => {
  test('of a type of later days is passed over', () => {
    expect(controlTypeOf({ key: Uint8Array.of(0, 0, 0, 7) })).toBeUndefined()
    expect(controlTypeOf({ key: Uint8Array.of(0, 0, 1, 1) })).toBeUndefined()
  })

  test('is known by the first four bytes of a longer key of a later version', () => {
    expect(controlTypeOf({ key: Uint8Array.of(0, 9, 0, 1, 0xff) })).toBe('COMMIT')
  })

  test.each([null, new Uint8Array(3), Uint8Array.of(0xff, 0xff, 0, 1)])('with the key %j cannot be', key => {
    expect(() => controlTypeOf({ key })).toThrow(expect.objectContaining({ errorName: 'INVALID_RECORD' }))
  })

  test('whose marker is cut short cannot be', () => {
    const batch = batchOf([{ key: controlKey('COMMIT'), value: new Uint8Array(5) }], { control: true })
    expect(() => transactionMarkerOf(batch)).toThrow(/too short/)
  })

  test('in a batch that is no control batch is a record like any other', () => {
    expect(transactionMarkerOf(batchOf([{ key: controlKey('COMMIT'), value: new Uint8Array(6) }]))).toBeUndefined()
  })
})

import { expect, test } from 'vitest'
import { producerSnapshotBytes, producersOfSnapshot } from '../../src/log/producer-snapshot.ts'
import { ProducerState } from '../../src/log/producer-state.ts'
import { refusalCode } from './logs.ts'

function producer(): ProducerState {
  const state = new ProducerState(7)
  for (let at = 0; at < 3; at++) {
    state.addBatch(2, { lastSequence: at * 5 + 4, lastOffset: at * 5 + 104, offsetDelta: 4, timestamp: 1000 + at })
  }
  state.coordinatorEpoch = 3
  state.currentTransactionFirstOffset = 100
  return state
}

const golden = [
  '0001', // version
  '81789795', // CRC-32C of what follows
  '00000001', // entries
  '0000000000000007', // producer id
  '0002', // epoch
  '0000000e', // last sequence, 14
  '0000000000000072', // last offset, 114
  '00000004', // offset delta
  '00000000000003ea', // timestamp
  '00000003', // coordinator epoch
  '0000000000000064', // first offset of its transaction
].join('')

test('a snapshot has the layout of ProducerSnapshot v1, with one batch for each producer (I-14)', () => {
  const bytes = producerSnapshotBytes([producer()])
  expect(Buffer.from(bytes).toString('hex')).toBe(golden)
  expect(producersOfSnapshot(bytes)).toEqual([
    Object.assign(new ProducerState(7), {
      producerEpoch: 2,
      coordinatorEpoch: 3,
      lastTimestamp: 1002,
      currentTransactionFirstOffset: 100,
      batches: [{ lastSequence: 14, lastOffset: 114, offsetDelta: 4, timestamp: 1002 }],
    }),
  ])
})

test('a producer that only a marker made known has no batch in it (I-22)', () => {
  const state = new ProducerState(9)
  state.producerEpoch = 4
  state.lastTimestamp = 5
  const [again] = producersOfSnapshot(producerSnapshotBytes([state]))
  expect(again).toEqual(state)
})

test('a damaged snapshot is refused', () => {
  const bytes = producerSnapshotBytes([producer()])
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice()
    damaged[at]! ^= 0x10
    expect(refusalCode(() => producersOfSnapshot(damaged))).toBe('CORRUPT_MESSAGE')
  }
  expect(refusalCode(() => producersOfSnapshot(bytes.subarray(0, 5)))).toBe('CORRUPT_MESSAGE')
})

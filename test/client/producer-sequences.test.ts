import { expect, test } from 'vitest'
import { PartitionQueue } from '../../src/client/producer/partition-queue.ts'
import { ProducerBatch } from '../../src/client/producer/producer-batch.ts'
import { ProducerSequences } from '../../src/client/producer/producer-sequences.ts'
import { VirtualRuntime } from '../../src/runtime/virtual.ts'
import { errorCodes } from '../../src/wire/errors.ts'

const runtime = new VirtualRuntime({ seed: 1 })

function setup() {
  const sequences = new ProducerSequences()
  sequences.given(7, 0)
  const queue = new PartitionQueue('orders', 0)
  const batch = (count = 1) => {
    const made = new ProducerBatch(runtime, queue, {
      createdAt: 0,
      limit: 1_000,
      memory: 0,
      capacity: 64,
      ratio: undefined,
    })
    for (let i = 0; i < count; i++) void made.append(0, null, null, [], 70)
    return made
  }
  const drained = (count = 1) => {
    const made = batch(count)
    sequences.stamp(queue, made)
    return made
  }
  return { sequences, queue, batch, drained }
}

const stampOf = ({ producerEpoch, baseSequence }: ProducerBatch) => [producerEpoch, baseSequence]

test('sequences begin at 0 for each partition, count records, and go from 2147483647 on to 0 (C-34, B-3)', () => {
  const { queue, drained } = setup()
  expect([drained(3), drained(2), drained()].map(stampOf)).toEqual([
    [0, 0],
    [0, 3],
    [0, 5],
  ])
  queue.nextSequence = 0x7fffffff
  const last = drained(2)
  expect([last.baseSequence, last.lastSequence, queue.nextSequence]).toEqual([0x7fffffff, 0, 1])
})

test('without a producer id nothing is drained; a batch that is sent again waits until it is first in line (C-34)', () => {
  const { sequences, queue, batch, drained } = setup()
  const [first, second] = [drained(), drained()]
  expect([sequences.mayDrain(queue, first), sequences.mayDrain(queue, second)]).toEqual([true, false])
  sequences.completed(first, 0)
  expect(sequences.mayDrain(queue, second)).toBe(true)
  sequences.given(-1, -1)
  expect(sequences.mayDrain(queue, batch())).toBe(false)
})

test('after a batch was lost without an answer, new ones wait until its followers have told its fate (C-41)', () => {
  const { sequences, queue, batch, drained } = setup()
  const [lost, follower] = [drained(2), drained(3)]
  sequences.failed(lost, 'REQUEST_TIMED_OUT', false)
  sequences.leftOpen(lost)
  sequences.refresh()
  expect(sequences.mayDrain(queue, batch())).toBe(false)
  sequences.completed(follower, 5)
  sequences.refresh()
  // The follower was taken, so the lost one must have been: no gap, no new epoch.
  expect(sequences.mayDrain(queue, batch())).toBe(true)
  expect(stampOf(drained())).toEqual([0, 5])
})

test('if its followers were lost too, sequences begin anew under the next epoch (C-41)', () => {
  const { sequences, drained } = setup()
  const [lost, follower] = [drained(2), drained(3)]
  for (const batch of [lost, follower]) {
    sequences.failed(batch, 'REQUEST_TIMED_OUT', false)
    sequences.leftOpen(batch)
  }
  sequences.refresh()
  expect(stampOf(drained())).toEqual([1, 0])
})

test('a new epoch moves what is on its way to sequences from 0 on, and other partitions at their next batch (C-53)', () => {
  const { sequences, queue, drained } = setup()
  drained(2)
  sequences.completed(queue.sequenced[0]!, 0)
  const [second, third] = [drained(1), drained(4)]
  expect(sequences.canRetry(third, errorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER, -1)).toBe(true)
  sequences.refresh()
  expect([second, third].map(stampOf)).toEqual([
    [0, 2],
    [0, 3],
  ])
  expect(sequences.canRetry(second, errorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER, -1)).toBe(true)
  sequences.refresh()
  expect([second, third].map(stampOf)).toEqual([
    [1, 0],
    [1, 1],
  ])
  expect(queue.nextSequence).toBe(5)
  const other = new PartitionQueue('orders', 1)
  const there = new ProducerBatch(runtime, other, {
    createdAt: 0,
    limit: 100,
    memory: 0,
    capacity: 64,
    ratio: undefined,
  })
  void there.append(0, null, null, [], 70)
  sequences.stamp(other, there)
  expect(stampOf(there)).toEqual([1, 0])
})

test('the last epoch is left by asking for another producer id (KIP-360)', () => {
  const { sequences, queue } = setup()
  sequences.given(7, 0x7fff)
  sequences.requestBump(queue)
  sequences.refresh()
  expect(sequences.hasId).toBe(false)
})

test('UNKNOWN_PRODUCER_ID is retried, under a new epoch where the log no longer has what was acknowledged (C-52)', () => {
  const { sequences, drained } = setup()
  const batch = drained()
  expect(sequences.canRetry(batch, errorCodes.UNKNOWN_PRODUCER_ID, -1)).toBe(true)
  sequences.refresh()
  expect(stampOf(batch)).toEqual([0, 0])
  expect(sequences.canRetry(batch, errorCodes.UNKNOWN_PRODUCER_ID, 10)).toBe(true)
  sequences.refresh()
  expect(stampOf(batch)).toEqual([1, 0])
})

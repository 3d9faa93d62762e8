import { expect } from 'vitest'
import { deleteTopics } from '../../src/apis/delete-topics.ts'
import { writeTxnMarkers } from '../../src/apis/write-txn-markers.ts'
import { zeroUuid } from '../../src/wire/uuid.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'
import { seen, TransactionalId } from './transaction.ts'
import type { World } from './world.ts'

/** An id, and a topic that its coordinator does not lead. */
async function elsewhere(world: World) {
  const id = await TransactionalId.open(world)
  const leader = [1, 2, 3].find(broker => broker !== id.coordinator)!
  return { id, leader, topic: await Topic.create(world, [leader]), by: await id.coordinatorEpoch() }
}

story(
  'a producer of transaction version 2 gets another epoch with each end, and its markers carry the new one (X-20, T-20)',
  async world => {
    const { id, topic, by } = await elsewhere(world)
    let producer = await id.become()
    expect([producer.epoch, await id.state()]).toEqual([0, 'Empty 0'])
    for (const [value, how, state] of [
      ['a', 'commit', 'CompleteCommit 1'],
      ['b', 'commit', 'CompleteCommit 2'],
      ['c', 'abort', 'CompleteAbort 3'],
    ] as const) {
      expect(await id.write(producer, topic, [value])).toBe(`NONE ${producer.epoch * 2}`)
      expect(await id.state()).toBe(`Ongoing ${producer.epoch}`)
      const next = await id.ended(producer, how)
      expect(next).toEqual({ producerId: producer.producerId, epoch: producer.epoch + 1 })
      expect(await id.state()).toBe(state)
      producer = next
    }
    expect(await seen(topic, 'read_committed')).toEqual({
      log: ['a', `COMMIT epoch 1 by ${by}`, 'b', `COMMIT epoch 2 by ${by}`, 'c', `ABORT epoch 3 by ${by}`],
      highWatermark: 6,
      lastStableOffset: 6,
      aborted: [4],
    })
    expect((await seen(topic, 'read_uncommitted')).aborted).toBeUndefined()
  },
)

story(
  'a producer of version 1 adds its partitions and keeps its epoch; the same end again is well, the other one is not (X-21, T-19)',
  async world => {
    const { id, topic, by } = await elsewhere(world)
    const producer = await id.become()
    expect(await id.add(producer, topic)).toEqual(['NONE'])
    expect(await id.write(producer, topic, ['a', 'b'], { version: 11 })).toBe('NONE 0')
    await id.ended(producer, 'commit', 4)
    expect((await id.end(producer, 'commit', 4)).error).toBe('NONE')
    expect((await id.end(producer, 'abort', 4)).error).toBe('INVALID_TXN_STATE')
    expect(await id.add(producer, topic)).toEqual(['NONE'])
    expect(await id.write(producer, topic, ['c'], { version: 11, sequence: 2 })).toBe('NONE 3')
    await id.ended(producer, 'abort', 4)
    expect((await id.end(producer, 'abort', 4)).error).toBe('NONE')
    expect(await id.state()).toBe('CompleteAbort 0')
    expect((await seen(topic, 'read_uncommitted')).log).toEqual([
      'a b',
      `COMMIT epoch 0 by ${by}`,
      'c',
      `ABORT epoch 0 by ${by}`,
    ])
  },
)

story(
  'who reads committed sees nothing from the first open record on, and is told what was aborted (X-22, X-23, F-8, F-9)',
  async world => {
    const { id, topic, by } = await elsewhere(world)
    const producer = await id.become()
    await topic.produce(['p0', 'p1', 'p2'])
    await id.write(producer, topic, ['t3', 't4', 't5'])
    await topic.produce(['p6', 'p7', 'p8'])
    const open = { highWatermark: 9, lastStableOffset: 3 }
    expect(await seen(topic, 'read_committed')).toEqual({ log: ['p0 p1 p2'], ...open, aborted: [] })
    expect(await seen(topic, 'read_uncommitted')).toEqual({
      log: ['p0 p1 p2', 't3 t4 t5', 'p6 p7 p8'],
      ...open,
      aborted: undefined,
    })
    expect((await seen(topic, 'read_committed', 3)).log).toEqual([])

    await id.ended(producer, 'abort')
    const over = { highWatermark: 10, lastStableOffset: 10 }
    const marker = `ABORT epoch 1 by ${by}`
    expect(await seen(topic, 'read_committed')).toEqual({
      log: ['p0 p1 p2', 't3 t4 t5', 'p6 p7 p8', marker],
      ...over,
      aborted: [3],
    })
    expect(await seen(topic, 'read_committed', 9)).toEqual({ log: [marker], ...over, aborted: [3] })
    expect(await seen(topic, 'read_committed', 10)).toEqual({ log: [], ...over, aborted: [] })
  },
)

story(
  'once it is decided a transaction is answered, and is in Prepare until its markers stand: everything else has to wait (T-5, T-17, T-33)',
  async world => {
    const { id, topic, leader, by } = await elsewhere(world)
    const other = await TransactionalId.open(world)
    const producer = await id.become()
    await id.write(producer, topic, ['a'])
    const lift = world.hold({ from: id.coordinator, to: leader, api: writeTxnMarkers })
    const { error, ...next } = await id.end(producer, 'commit')
    expect([error, next.epoch]).toEqual(['NONE', 1])
    expect(await id.described()).toMatchObject({ state: 'PrepareCommit', epoch: 1, partitions: [`${topic.name}-0`] })
    expect((await seen(topic, 'read_committed')).lastStableOffset).toBe(0)

    expect((await id.initialize()).error).toBe('CONCURRENT_TRANSACTIONS')
    expect(await id.add(next, topic)).toEqual(['CONCURRENT_TRANSACTIONS'])
    expect(await id.write(next, topic, ['b'])).toBe('CONCURRENT_TRANSACTIONS -1')
    for (const asked of [producer, next, { ...next, epoch: 9 }, { producerId: 9_999_999, epoch: 0 }]) {
      expect((await id.end(asked, 'commit')).error).toBe('CONCURRENT_TRANSACTIONS')
    }
    // Another id is not held up by it, but the partition is.
    const another = await other.become()
    expect(await other.write(another, topic, ['c'])).toBe('NONE 1')
    expect((await seen(topic, 'read_committed')).log).toEqual([])

    lift()
    await id.untilIn('CompleteCommit')
    expect(await id.write(next, topic, ['b'])).toBe('NONE 3')
    const { log, lastStableOffset } = await seen(topic, 'read_committed')
    expect([log, lastStableOffset]).toEqual([['a'], 1])
    await other.ended(another, 'abort')
    await id.ended(next, 'commit')
    expect((await seen(topic, 'read_uncommitted')).log.slice(0, 4)).toEqual(['a', 'c', `COMMIT epoch 1 by ${by}`, 'b'])
  },
)

story(
  'an end of version 2 is known again by the epoch before; with that of two ends ago it is fenced (T-20)',
  async world => {
    const { id, topic } = await elsewhere(world)
    const first = await id.become()
    await id.write(first, topic, ['a'])
    const second = await id.ended(first, 'commit')
    expect(await id.end(first, 'commit')).toEqual({ error: 'NONE', ...second })
    expect((await id.end(first, 'abort')).error).toBe('INVALID_TXN_STATE')
    expect((await id.end({ ...second, epoch: 5 }, 'commit')).error).toBe('PRODUCER_FENCED')
    // Nothing was written in this one: aborted all the same, for the sake of what may come too late.
    expect((await id.end(second, 'commit')).error).toBe('INVALID_TXN_STATE')
    const third = await id.ended(second, 'abort')
    expect(third.epoch).toBe(2)
    expect((await id.end(first, 'commit')).error).toBe('PRODUCER_FENCED')
    expect((await seen(topic, 'read_uncommitted')).highWatermark).toBe(2)
  },
)

story(
  'nothing is appended that was not added to a transaction: the leader asks for older clients, and adds for newer (T-30, T-31)',
  async world => {
    const { id, topic } = await elsewhere(world)
    const two = await Topic.create(world, [[2], [3]])
    const producer = await id.become()
    expect(await id.write(producer, topic, ['a'], { version: 10 })).toBe('INVALID_TXN_STATE -1')
    expect(await id.write(producer, topic, ['a'], { version: 11 })).toBe('TRANSACTION_ABORTABLE -1')
    expect(await id.state()).toBe('Empty 0')
    const added = async () => (await id.add(producer, two, [1])).join()
    await two.until('known to the coordinator', async () => (await added()) === 'NONE')
    expect(await id.write(producer, two, ['a'], { version: 11 })).toBe('TRANSACTION_ABORTABLE -1')
    expect(await id.write(producer, two, ['a'], { version: 11, partition: 1 })).toBe('NONE 0')
    expect((await id.described()).partitions).toEqual([`${two.name}-1`])
    // One that is missing, and none of the others is added. In which order Kafka says it depends on the topic's name.
    expect((await id.add(producer, two, [0, 7])).toSorted()).toEqual([
      'OPERATION_NOT_ATTEMPTED',
      'UNKNOWN_TOPIC_OR_PARTITION',
    ])
    expect((await id.described()).partitions).toEqual([`${two.name}-1`])
    expect(await id.write(producer, topic, ['b'], { version: 12 })).toBe('NONE 0')
    expect((await id.described()).partitions).toEqual([`${topic.name}-0`, `${two.name}-1`].sort())
    await id.ended(producer, 'commit')
    expect((await seen(topic, 'read_committed')).log).toHaveLength(2)
  },
)

story('a topic that is deleted drops out of the transaction, which is committed in the others (T-23)', async world => {
  const { id, topic } = await elsewhere(world)
  const gone = await Topic.create(world, [1])
  const producer = await id.become()
  for (const each of [topic, gone]) expect(await id.write(producer, each, ['a'])).toBe('NONE 0')
  const body = { topics: [{ name: gone.name, topicId: zeroUuid }], timeoutMs: 30_000 }
  expect((await world.request(world.witnesses[0]!, deleteTopics, 6, body)).responses[0]!.errorCode).toBe(0)
  await id.ended(producer, 'commit')
  expect((await seen(topic, 'read_committed')).lastStableOffset).toBe(2)
})

story('what is no transactional id, and a timeout that is none, are refused (T-10, T-11, T-18)', async world => {
  const id = await TransactionalId.open(world)
  for (const timeoutMs of [0, -1, 900_001]) {
    expect((await id.initialize(undefined, { timeoutMs })).error).toBe('INVALID_TRANSACTION_TIMEOUT')
  }
  const nobody = { producerId: 4_000_000, epoch: 0 }
  const topic = await Topic.create(world, [1])
  expect((await id.end(nobody, 'commit')).error).toBe('INVALID_PRODUCER_ID_MAPPING')
  expect(await id.add(nobody, topic)).toEqual(['INVALID_PRODUCER_ID_MAPPING'])
  expect(await id.write(nobody, topic, ['a'])).toBe('INVALID_PRODUCER_ID_MAPPING -1')
  expect((await id.initialize({ producerId: 7, epoch: -1 })).error).toBe('INVALID_REQUEST')
  // Of an id that nobody knows, what it says of itself is not looked at.
  expect(await id.initialize({ ...nobody, epoch: 3 }, { timeoutMs: 900_000 })).toMatchObject({
    error: 'NONE',
    epoch: 0,
  })
})

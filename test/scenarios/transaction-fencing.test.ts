import { expect } from 'vitest'
import { Group } from './group.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'
import { seen, TransactionalId } from './transaction.ts'
import type { World } from './world.ts'

const versions = [
  { version: 1, produce: 11, end: 4, offsets: 4 },
  { version: 2, produce: 12, end: 5, offsets: 5 },
] as const

/** An id whose first producer has a transaction open, with one record in partition 0 of two. */
async function ongoing(world: World, { version, produce }: (typeof versions)[number], timeoutMs = 60_000) {
  const id = await TransactionalId.open(world)
  const topic = await Topic.create(world, [[1], [2]])
  const producer = await id.become({ timeoutMs })
  if (version === 1) expect(await id.add(producer, topic)).toEqual(['NONE'])
  expect(await id.write(producer, topic, ['zombie'], { version: produce })).toBe('NONE 0')
  return { id, topic, producer }
}

for (const versioned of versions) {
  const { version, produce, end, offsets } = versioned
  story(
    `a second producer ends what the first has open, and fences it (X-19, T-12, T-14), transaction version ${version}`,
    async world => {
      const { id, topic, producer } = await ongoing(world, versioned)
      const group = await Group.open(world)
      expect((await id.initialize()).error).toBe('CONCURRENT_TRANSACTIONS')
      await id.untilIn('CompleteAbort')
      expect(await id.state()).toBe('CompleteAbort 1')
      const late = await id.end(producer, 'commit', end)
      expect(late.error).toBe(version === 1 ? 'PRODUCER_FENCED' : 'INVALID_TXN_STATE')

      expect(await id.become()).toEqual({ ...producer, epoch: 2 })
      expect(await id.state()).toBe('Empty 2')
      for (const partition of [0, 1]) {
        const options = { version: produce, partition, sequence: 1 - partition }
        expect(await id.write(producer, topic, ['late'], options)).toBe('INVALID_PRODUCER_EPOCH -1')
      }
      for (const how of ['commit', 'abort'] as const) {
        expect((await id.end(producer, how, end)).error).toBe('PRODUCER_FENCED')
      }
      expect(await id.add(producer, topic)).toEqual(['PRODUCER_FENCED'])
      expect(await id.add(producer, topic, [0], 1)).toEqual(['INVALID_PRODUCER_EPOCH'])
      expect(await id.addOffsets(producer, group)).toBe('PRODUCER_FENCED')
      expect(await id.commitOffset(producer, group, topic, 5, { version: offsets })).toBe('INVALID_PRODUCER_EPOCH')
      expect((await id.initialize(producer)).error).toBe('PRODUCER_FENCED')
      expect((await id.initialize(producer, { version: 3 })).error).toBe('INVALID_PRODUCER_EPOCH')
      // Outside transactions nobody asks the coordinator.
      const plain = { partition: 1, transactional: false, version: produce }
      expect(await id.write(producer, topic, ['plain'], plain)).toBe('NONE 0')
      const { log, aborted } = await seen(topic, 'read_committed')
      expect([log.length, log[0], log[1]?.slice(0, 13), aborted]).toEqual([2, 'zombie', 'ABORT epoch 1', [0]])
    },
  )

  story(
    `a transaction that takes too long is aborted; its producer ${version === 1 ? 'is fenced' : 'goes on after an abort'} (X-24, T-26), transaction version ${version}`,
    async world => {
      const { id, topic, producer } = await ongoing(world, versioned, 1000)
      const group = await Group.open(world)
      await id.untilIn('CompleteAbort')
      expect(await id.state()).toBe('CompleteAbort 1')
      expect((await seen(topic, 'read_committed')).lastStableOffset).toBe(2)
      for (const [partition, sequence] of [
        [0, 1],
        [1, 0],
      ] as const) {
        const options = { version: produce, partition, sequence }
        expect(await id.write(producer, topic, ['late'], options)).toBe('INVALID_PRODUCER_EPOCH -1')
      }
      expect(await id.add(producer, topic)).toEqual(['PRODUCER_FENCED'])
      expect(await id.addOffsets(producer, group)).toBe('PRODUCER_FENCED')
      expect(await id.commitOffset(producer, group, topic, 5, { version: offsets })).toBe('INVALID_PRODUCER_EPOCH')
      if (version === 1) {
        expect((await id.end(producer, 'commit', end)).error).toBe('PRODUCER_FENCED')
        expect((await id.end(producer, 'abort', end)).error).toBe('PRODUCER_FENCED')
        expect(await id.initialize(producer)).toEqual({ error: 'NONE', ...producer, epoch: 1 })
      } else {
        expect((await id.end(producer, 'commit', end)).error).toBe('INVALID_TXN_STATE')
        const next = { ...producer, epoch: 1 }
        expect(await id.end(producer, 'abort', end)).toEqual({ error: 'NONE', ...next })
        expect(await id.write(next, topic, ['on'])).toBe('NONE 2')
        await id.ended(next, 'commit')
      }
    },
  )
}

story(
  'a producer that knows who it is gets the next epoch, and the same one again if it has not heard (KIP-360, T-13)',
  async world => {
    const id = await TransactionalId.open(world)
    await id.become()
    const first = await id.become()
    const at = (epoch: number) => ({ ...first, epoch })
    expect(first.epoch).toBe(1)
    for (let asked = 0; asked < 3; asked++) expect(await id.initialize(first)).toEqual({ error: 'NONE', ...at(2) })
    expect(await id.initialize(at(2))).toEqual({ error: 'NONE', ...at(3) })
    expect((await id.initialize(first)).error).toBe('PRODUCER_FENCED')
    expect((await id.initialize(first, { version: 3 })).error).toBe('INVALID_PRODUCER_EPOCH')
    // One that begins anew wipes out who asked before.
    expect(await id.initialize()).toEqual({ error: 'NONE', ...at(4) })
    expect((await id.initialize(at(3))).error).toBe('PRODUCER_FENCED')
    expect((await id.initialize({ producerId: first.producerId + 777_777, epoch: 4 })).error).toBe('PRODUCER_FENCED')
  },
)

for (const versioned of versions) {
  story(
    `while a transaction is open any epoch of the producer aborts it, older or newer; another producer id does not (T-12), transaction version ${versioned.version}`,
    async world => {
      for (const [epoch, then] of [
        [-1, 'PRODUCER_FENCED'],
        [0, 'NONE'],
        [1, 'NONE'],
        [5, 'PRODUCER_FENCED'],
      ] as const) {
        const { id, producer } = await ongoing(world, versioned)
        const asking = { ...producer, epoch: producer.epoch + Math.max(0, epoch) }
        const stranger = { ...asking, producerId: producer.producerId + 777_777 }
        expect((await id.initialize(stranger)).error).toBe('PRODUCER_FENCED')
        expect((await id.initialize(stranger, { version: 3 })).error).toBe('INVALID_PRODUCER_EPOCH')
        expect(await id.state()).toBe('Ongoing 0')
        if (epoch < 0) continue
        expect((await id.initialize(asking)).error).toBe('CONCURRENT_TRANSACTIONS')
        await id.untilIn('CompleteAbort')
        expect((await id.initialize(asking)).error).toBe(then)
      }
    },
  )
}

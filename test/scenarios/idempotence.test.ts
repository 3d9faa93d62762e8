import { expect } from 'vitest'
import { story } from './story.ts'
import { Topic } from './topic.ts'
import type { World } from './world.ts'

const NONE = (baseOffset: number) => ({ error: 'NONE', baseOffset })
const OUT_OF_ORDER = { error: 'OUT_OF_ORDER_SEQUENCE_NUMBER', baseOffset: -1 }

/** Six batches of five, sequences 0 to 29, of producer 1001. */
async function sixBatches(world: World, replicas: readonly number[]) {
  const topic = await Topic.create(world, replicas)
  const send = (sequence: number, count = 5, at?: number) =>
    topic.produce(
      Array.from({ length: count }, (_, i) => `s${sequence + i}`),
      { producer: [1001, 0, sequence], ...(at === undefined ? {} : { at }) },
    )
  for (let sequence = 0; sequence < 30; sequence += 5) expect(await send(sequence)).toMatchObject(NONE(sequence))
  return { topic, send }
}

story(
  'the last five batches are known as duplicates and get their first offsets; an older one is out of order (X-9, I-4, I-8, I-9)',
  async world => {
    const { topic, send } = await sixBatches(world, [1, 2])
    expect(await send(25)).toMatchObject(NONE(25))
    expect(await send(5)).toMatchObject(NONE(5))
    expect(await send(0)).toMatchObject(OUT_OF_ORDER)
    expect(await topic.endOffset(1)).toBe(30)
  },
)

story(
  'a gap in the sequence, and a batch that overlaps the last one, are out of order and not appended (X-10, X-11, I-7, I-8)',
  async world => {
    const { topic, send } = await sixBatches(world, [1])
    expect(await send(31)).toMatchObject(OUT_OF_ORDER)
    expect(await send(25, 10)).toMatchObject(OUT_OF_ORDER)
    expect(await send(25, 3)).toMatchObject(OUT_OF_ORDER)
    expect(await send(29, 1)).toMatchObject(OUT_OF_ORDER)
    expect(await topic.endOffset(1)).toBe(30)
    expect(await send(30)).toMatchObject(NONE(30))
  },
)

story('sequences wrap at 2³¹: behind 2147483647 comes 0 (X-12, B-3, I-7)', async world => {
  const topic = await Topic.create(world, [1])
  const send = (sequence: number, count: number) => topic.produce(count, { producer: [1002, 0, sequence] })
  // Without state of a producer any first sequence will do.
  expect(await send(2147483643, 3)).toMatchObject(NONE(0))
  expect(await send(2147483646, 4)).toMatchObject(NONE(3))
  expect(await send(1, 1)).toMatchObject(OUT_OF_ORDER)
  expect(await send(2, 1)).toMatchObject(NONE(7))
})

story('a new epoch begins at sequence 0, and ends the old one (X-13, I-6, I-7)', async world => {
  const topic = await Topic.create(world, [1])
  const send = (epoch: number, sequence: number) => topic.produce(5, { producer: [1003, epoch, sequence] })
  expect(await send(0, 0)).toMatchObject(NONE(0))
  expect(await send(1, 3)).toMatchObject(OUT_OF_ORDER)
  expect(await send(1, 0)).toMatchObject(NONE(5))
  expect(await send(0, 5)).toMatchObject({ error: 'INVALID_PRODUCER_EPOCH', baseOffset: -1 })
  expect(await send(1, 0)).toMatchObject(NONE(5))
})

story('a new leader knows the sequences: it was a follower, and replicated them (X-14, I-13, I-8)', async world => {
  const { topic, send } = await sixBatches(world, [1, 2, 3])
  expect(await topic.reassign([2, 1, 3])).toBe('NONE')
  expect(await topic.elect('preferred')).toBe('NONE')
  await topic.untilLedBy(2)
  expect(await send(25, 5, 2)).toMatchObject(NONE(25))
  expect(await send(0, 5, 2)).toMatchObject(OUT_OF_ORDER)
  expect(await send(30, 5, 2)).toMatchObject(NONE(30))
})

story(
  'a broker that was killed knows the last batch of each producer afterwards, and no older one (I-14)',
  async world => {
    const { topic, send } = await sixBatches(world, [1])
    await world.crash(1)
    await world.restart(1)
    await topic.untilLedBy(1)
    expect(await send(25)).toMatchObject(NONE(25))
    expect(await send(20)).toMatchObject(OUT_OF_ORDER)
    expect(await send(30)).toMatchObject(NONE(30))
  },
)

import { expect } from 'vitest'
import { fetch } from '../../src/apis/fetch.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'

story('the first batch that is found is answered whole, however small the limits are (X-25, F-6)', async world => {
  const topic = await Topic.create(world, [[1], [1]])
  const large = [{ value: new Uint8Array(1_000_000) }]
  expect(await topic.produce(large)).toMatchObject({ error: 'NONE' })
  expect(await topic.produce(large, { partition: 1 })).toMatchObject({ error: 'NONE' })
  const partitions = [0, 1].map(partition => ({ partition, fetchOffset: 0, partitionMaxBytes: 1 }))
  const { responses } = await world.request(1, fetch, 12, {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1,
    topics: [{ topic: topic.name, partitions }],
    forgottenTopicsData: [],
  })
  const sizes = responses[0]!.partitions.map(({ partitionIndex, errorCode, records }) => [
    partitionIndex,
    errorCode,
    records?.batches().length ?? 0,
  ])
  expect(sizes).toEqual([
    [0, 0, 1],
    [1, 0, 0],
  ])
})

story(
  'a fetch at the end waits for max_wait and is empty; beyond the end it is refused at once (X-26, F-2, F-10)',
  async world => {
    const topic = await Topic.create(world, [1])
    await topic.produce(3)
    const atEnd = await topic.fetch({ offset: 3, maxWaitMs: 500 })
    expect(atEnd).toMatchObject({ error: 'NONE', highWatermark: 3, values: [] })
    expect(atEnd.tookMs).toBeGreaterThanOrEqual(500)
    const beyond = await topic.fetch({ offset: 4, maxWaitMs: 5_000 })
    expect(beyond).toMatchObject({ error: 'OFFSET_OUT_OF_RANGE', highWatermark: -1 })
    expect(beyond.tookMs).toBeLessThan(2_000)
  },
)

story(
  'above the high watermark a fetch waits only inside the batch that starts there; elsewhere it is empty at once (F-2, F-8, R-15)',
  async world => {
    const topic = await Topic.create(world, [1, 2], { 'min.insync.replicas': 2 })
    await topic.produce(5)
    const mend = world.cut(2, 1)
    for (const count of [5, 5, 1]) await topic.produce(count, { acks: 1 })
    const waited = async (offset: number) => {
      const { error, values, tookMs } = await topic.fetch({ offset, maxWaitMs: 600 })
      expect(values).toEqual([])
      return error === 'NONE' ? tookMs >= 600 : error
    }
    expect([await waited(5), await waited(7), await waited(9)]).toEqual([true, true, true])
    expect([await waited(10), await waited(15), await waited(16)]).toEqual([false, false, false])
    expect(await waited(17)).toBe('OFFSET_OUT_OF_RANGE')
    mend()
    await topic.until('all is visible', async () => (await topic.highWatermark()) === 16)
  },
)

story(
  "a follower's high watermark lags its leader's by a fetch; it answers consumers by its own (R-14, R-62)",
  async world => {
    const topic = await Topic.create(world, [1, 2])
    await topic.produce(5)
    await topic.until('the follower knows of the commit', async () => (await topic.highWatermark(2)) === 5)
    // The fetch that waits at the leader is still answered; the next one is held.
    const letFetch = world.hold({ from: 2, to: 1, api: fetch })
    await topic.produce(5, { acks: 1 })
    await topic.until('the follower has ten records', async () => (await topic.endOffset(2)) === 10)
    expect([await topic.highWatermark(1), await topic.highWatermark(2)]).toEqual([5, 5])
    const at = async (offset: number) => {
      const { error, values, tookMs } = await topic.fetch({ at: 2, offset, maxWaitMs: 400 })
      return [error, values.length, tookMs >= 400]
    }
    expect(await at(3)).toEqual(['NONE', 5, false])
    expect(await at(7)).toEqual(['NONE', 0, true])
    expect(await at(10)).toEqual(['NONE', 0, false])
    expect(await at(11)).toEqual(['OFFSET_OUT_OF_RANGE', 0, false])
    letFetch()
    await topic.until('both know of the commit', async () => {
      return (await topic.highWatermark(1)) === 10 && (await topic.highWatermark(2)) === 10
    })
  },
)

story(
  'a new leader that does not know yet what is committed says so to who asks for the latest offset (F-38, R-13, KIP-207)',
  async world => {
    const topic = await Topic.create(world, [1, 2, 3])
    await topic.produce(5)
    await topic.until('all know of the commit', async () => {
      return (await topic.highWatermark(2)) === 5 && (await topic.highWatermark(3)) === 5
    })
    const lift = [2, 3].map(from => world.hold({ from, to: 1, api: fetch }))
    await topic.produce(5, { acks: 1 })
    await topic.until('the followers have ten records', async () => {
      return (await topic.endOffset(2)) === 10 && (await topic.endOffset(3)) === 10
    })
    lift.push(world.hold({ from: 3, to: 2, api: fetch }))
    await world.crash(1)
    await topic.untilLedBy(2)
    expect(await topic.offsetAt(-1, 2)).toMatchObject({ error: 'OFFSET_NOT_AVAILABLE', offset: -1 })
    expect(await topic.offsetAt(-2, 2)).toMatchObject({ error: 'NONE', offset: 0 })
    expect(await topic.fetch({ at: 2 })).toMatchObject({ error: 'NONE', highWatermark: 5, batches: '0-4/e0' })
    expect(await topic.endOffset(2)).toBe(10)
    for (const each of lift) each()
    await topic.until('the latest offset is 10', async () => (await topic.offsetAt(-1, 2)).offset === 10)
  },
)

story(
  'with a replica in the rack of the consumer, the leader names it and sends no records (R-60, R-61, R-62)',
  async world => {
    const topic = await Topic.create(world, [1, 2])
    await topic.produce(5)
    await topic.until('the follower knows of the commit', async () => (await topic.highWatermark(2)) === 5)
    expect(await topic.fetch({ rack: 'r2' })).toMatchObject({
      error: 'NONE',
      preferred: 2,
      values: [],
      highWatermark: 5,
    })
    const waiting = await topic.fetch({ rack: 'r2', offset: 5, maxWaitMs: 3_000 })
    expect(waiting).toMatchObject({ error: 'NONE', preferred: 2 })
    expect(waiting.tookMs).toBeLessThan(2_000)
    for (const rack of ['r1', 'r3', '']) {
      expect(await topic.fetch({ rack })).toMatchObject({ preferred: undefined, batches: '0-4/e0' })
    }
    expect(await topic.fetch({ rack: 'r2', offset: 6 })).toMatchObject({ error: 'OFFSET_OUT_OF_RANGE' })
    // At the follower: with its own bounds, and from v11 on.
    expect(await topic.fetch({ at: 2 })).toMatchObject({ error: 'NONE', highWatermark: 5, batches: '0-4/e0' })
    expect(await topic.fetch({ at: 2, offset: 6 })).toMatchObject({ error: 'OFFSET_OUT_OF_RANGE' })
    expect(await topic.fetch({ at: 2, version: 10 })).toMatchObject({ error: 'NOT_LEADER_OR_FOLLOWER' })
    // A replica that lacks the offset is not named.
    const mend = world.cut(2, 1)
    await topic.produce(5, { acks: 1 })
    expect(await topic.fetch({ rack: 'r2', offset: 7 })).toMatchObject({ error: 'NONE', preferred: undefined })
    mend()
  },
)

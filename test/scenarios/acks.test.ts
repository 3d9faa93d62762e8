import { expect } from 'vitest'
import { produce } from '../../src/apis/produce.ts'
import { errorOf } from '../../src/wire/errors.ts'
import { Records } from '../../src/wire/records.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'

story(
  'a batch that timed out is in the log; sent again, it gets the same offset, and NONE once it is committed (X-6, P-22, I-4, R-18)',
  async world => {
    const topic = await Topic.create(world, [1, 2], { 'min.insync.replicas': 2 })
    expect(await topic.produce(5, { producer: [900_001, 0, 0] })).toMatchObject({ error: 'NONE', baseOffset: 0 })
    const mend = world.cut(2, 1)
    const again = (options: { acks?: 1; timeoutMs?: number } = {}) =>
      topic.produce(['a', 'b', 'c', 'd', 'e'], { producer: [900_001, 0, 5], timeoutMs: 1_000, ...options })
    const first = await again()
    expect(first).toMatchObject({ error: 'REQUEST_TIMED_OUT', baseOffset: 5 })
    expect(first.tookMs).toBeGreaterThanOrEqual(1_000)
    expect([await topic.highWatermark(), await topic.endOffset(1)]).toEqual([5, 10])
    // A duplicate waits for its original offset, and times out with it; with acks=1 it is answered at once.
    expect(await again()).toMatchObject({ error: 'REQUEST_TIMED_OUT', baseOffset: 5 })
    expect(await again({ acks: 1 })).toMatchObject({ error: 'NONE', baseOffset: 5 })
    mend()
    expect(await again({ timeoutMs: 30_000 })).toMatchObject({ error: 'NONE', baseOffset: 5 })
    expect([await topic.highWatermark(), await topic.endOffset(1)]).toEqual([10, 10])
  },
)

story('a minimum above the number of replicas means all of them (X-7, R-11)', async world => {
  const alone = await Topic.create(world, [1], { 'min.insync.replicas': 2 })
  expect(await alone.produce(1)).toMatchObject({ error: 'NONE', baseOffset: 0 })
  expect(await alone.highWatermark()).toBe(1)
  const three = await Topic.create(world, [1, 2, 3], { 'min.insync.replicas': 4 })
  expect(await three.produce(1)).toMatchObject({ error: 'NONE', baseOffset: 0 })
})

story('acks=1 is answered when the leader has the batch, acks=all when the in-sync set has it (R-16)', async world => {
  const topic = await Topic.create(world, [1, 2])
  const mend = world.cut(2, 1)
  const [leaderOnly, everybody] = [await topic.produce(1, { acks: 1 }), topic.produce(1, { timeoutMs: 20_000 })]
  expect(leaderOnly).toMatchObject({ error: 'NONE', baseOffset: 0 })
  await topic.until('both are appended', async () => (await topic.endOffset(1)) === 2)
  expect(await topic.highWatermark()).toBe(0)
  mend()
  expect(await everybody).toMatchObject({ error: 'NONE', baseOffset: 1 })
})

story(
  'a request for several partitions is answered when all are decided, each with a result of its own (R-18)',
  async world => {
    const topic = await Topic.create(world, [
      [1, 2],
      [1, 3],
    ])
    const mend = world.cut(2, 1)
    const records = Records.of([topic.batch(1)])
    const startedAt = world.now()
    const { responses } = await world.request(1, produce, 12, {
      acks: -1,
      timeoutMs: 1_000,
      topicData: [{ name: topic.name, partitionData: [0, 1].map(index => ({ index, records })) }],
    })
    expect(world.now() - startedAt).toBeGreaterThanOrEqual(1_000)
    const results = responses.flatMap(({ partitionResponses }) =>
      partitionResponses.map(({ index, errorCode }) => [index, errorOf(errorCode).name]),
    )
    expect(new Map(results as [number, string][])).toEqual(
      new Map([
        [0, 'REQUEST_TIMED_OUT'],
        [1, 'NONE'],
      ]),
    )
    mend()
  },
)

story('acks=0 is never answered; where it fails, the connection closes (X-33, P-3)', async world => {
  const topic = await Topic.create(world, [1, 2], { 'max.message.bytes': 1000 })
  const send = async (broker: number, value: string) => {
    const line = await world.connect(broker)
    await line.sendOnly(produce, 12, {
      acks: 0,
      timeoutMs: 1_000,
      topicData: [{ name: topic.name, partitionData: [{ index: 0, records: Records.of([topic.batch([value])]) }] }],
    })
    const closed = await line.closes(2_000)
    line.close()
    return closed
  }
  expect(await send(1, 'good')).toBe(false)
  expect(await topic.endOffset(1)).toBe(1)
  expect(await send(1, 'x'.repeat(2000))).toBe(true)
  expect(await send(2, 'to a follower')).toBe(true)
  expect(await topic.endOffset(1)).toBe(1)
})

story('an old version of Produce closes the connection without an answer (X-40, W-5, W-12)', async world => {
  for (const version of [0, 1, 2]) {
    const line = await world.connect(1)
    // Header v1 with client id 'x', then an empty request: acks 1, timeout 0, no topics.
    await line.sendBytes(new Uint8Array([0, 0, 0, version, 0, 0, 0, 1, 0, 1, 120, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]))
    expect([version, await line.closes(3_000)]).toEqual([version, true])
  }
  const topic = await Topic.create(world, [1])
  expect(await topic.produce(1, { version: 3 })).toMatchObject({ error: 'NONE', baseOffset: 0 })
})

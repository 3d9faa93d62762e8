import { expect } from 'vitest'
import { produce } from '../../src/apis/produce.ts'
import { errorOf } from '../../src/wire/errors.ts'
import { Records } from '../../src/wire/records.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'

/** A batch whose CRC does not fit any more. */
function flippedBit(topic: Topic): Records {
  const { head, body } = topic.batch(['payload'])
  const bytes = new Uint8Array(head.length + body.length)
  bytes.set(head)
  bytes.set(body, head.length)
  bytes[bytes.length - 3]! ^= 1
  return new Records([bytes])
}

story('two batches for one partition in one request are refused (X-15, P-6)', async world => {
  const topic = await Topic.create(world, [1])
  const two = () => Records.of([topic.batch(1), topic.batch(1)])
  expect(await topic.produceRecords(two())).toMatchObject({ error: 'INVALID_RECORD', baseOffset: -1 })
  expect(await topic.produceRecords(two(), { version: 3 })).toMatchObject({ error: 'INVALID_RECORD', baseOffset: -1 })
  expect(await topic.endOffset(1)).toBe(0)
})

story('one record without a key spoils a batch for a compacted topic, and is named (X-16, P-13, P-15)', async world => {
  const topic = await Topic.create(world, [1], { 'cleanup.policy': 'compact' })
  const records = [{ key: 'a', value: '1' }, { value: '2' }, { key: 'c', value: '3' }]
  expect(await topic.produce(records)).toMatchObject({ error: 'INVALID_RECORD', baseOffset: -1, recordErrors: [1] })
  expect(await topic.endOffset(1)).toBe(0)
})

story('a timestamp two hours in the future is refused (X-17, P-14)', async world => {
  const topic = await Topic.create(world, [1])
  const timestamp = world.now() + 2 * 3_600_000
  expect(await topic.produce(2, { batch: { timestamp } })).toMatchObject({
    error: 'INVALID_TIMESTAMP',
    baseOffset: -1,
    recordErrors: [0, 1],
  })
})

story(
  'a flipped bit in the payload is CORRUPT_MESSAGE, with a minimum unmet NOT_ENOUGH_REPLICAS (X-18, P-9, P-10)',
  async world => {
    const topic = await Topic.create(world, [1, 2], { 'min.insync.replicas': 2 })
    const flipped = () => {
      const { head, body } = topic.batch(['payload'])
      const bytes = new Uint8Array(head.length + body.length)
      bytes.set(head)
      bytes.set(body, head.length)
      bytes[bytes.length - 3]! ^= 1
      return new Records([bytes])
    }
    expect(await topic.produceRecords(flipped())).toMatchObject({ error: 'CORRUPT_MESSAGE', baseOffset: -1 })
    await world.crash(2)
    await topic.untilInSync([1])
    // P-9 comes before P-10, and after P-6.
    expect(await topic.produceRecords(flipped())).toMatchObject({ error: 'NOT_ENOUGH_REPLICAS' })
    expect(await topic.produceRecords(flipped(), { acks: 1 })).toMatchObject({ error: 'CORRUPT_MESSAGE' })
    expect(await topic.produceRecords(Records.of([topic.batch(1), topic.batch(1)]))).toMatchObject({
      error: 'INVALID_RECORD',
    })
    expect(await topic.endOffset(1)).toBe(0)
  },
)

story(
  'each partition of a request has its own result: one that is damaged does not stop the other (P-2, P-10, P-23)',
  async world => {
    const topic = await Topic.create(world, [[1], [1]])
    const damaged = flippedBit(topic)
    const good = Records.of([topic.batch(2)])
    const ask = async (version: number, indexes: readonly (readonly [number, Records])[]) => {
      const named = version >= 13 ? { topicId: topic.id } : { name: topic.name }
      const { responses } = await world.request(1, produce, version, {
        acks: -1,
        timeoutMs: 5_000,
        topicData: [{ ...named, partitionData: indexes.map(([index, records]) => ({ index, records })) }],
      })
      return new Map(
        responses.flatMap(({ partitionResponses }) =>
          partitionResponses.map(({ index, errorCode }) => [index, errorOf(errorCode).name as string]),
        ),
      )
    }
    const bySeven = [
      [0, good],
      [1, damaged],
      [7, good],
    ] as const
    const expected = new Map([
      [0, 'NONE'],
      [1, 'CORRUPT_MESSAGE'],
      [7, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ])
    expect(await ask(12, bySeven)).toEqual(expected)
    expect(await ask(13, bySeven)).toEqual(expected)
    expect(await topic.endOffset(1)).toBe(4)
    // A length that cannot be is found before anything else, and ends the whole request.
    const unreadable = new Records([new Uint8Array(61)])
    const all = await ask(12, [
      [0, good],
      [1, unreadable],
    ])
    expect([...all.values()]).toEqual(['CORRUPT_MESSAGE', 'CORRUPT_MESSAGE'])
    expect(await topic.endOffset(1)).toBe(4)
    const unknown = new Topic(world, 'nobody-knows-it', 'AAAAAAAAAAAAAAAAAAAAAQ')
    expect((await unknown.produceRecords(good, { at: 1 })).error).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect((await unknown.produceRecords(good, { at: 1, version: 13 })).error).toBe('UNKNOWN_TOPIC_ID')
  },
)

story(
  'a transactional batch needs a transactional id in its request, even without an authorizer (P-1)',
  async world => {
    const topic = await Topic.create(world, [1])
    const transactional = await topic.produce(1, { producer: [9, 0, 0], batch: { transactional: true } })
    expect(transactional).toMatchObject({ error: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', baseOffset: -1 })
    expect(await topic.endOffset(1)).toBe(0)
  },
)

story("nobody but Kafka's own tools writes to an internal topic (P-4)", async world => {
  const topic = await Topic.create(world, [1], {}, '__share_group_state')
  expect(await topic.produce(1)).toMatchObject({ error: 'INVALID_TOPIC_EXCEPTION', baseOffset: -1 })
  expect(await topic.endOffset(1)).toBe(0)
})

story('transactional batches of two producers in one request are refused together (P-5)', async world => {
  const topic = await Topic.create(world, [[1], [1]])
  const of = (id: number) => Records.of([topic.batch(1, { producer: [id, 0, 0], batch: { transactional: true } })])
  const { responses } = await world.request(1, produce, 12, {
    transactionalId: 'story',
    acks: -1,
    timeoutMs: 5_000,
    topicData: [
      {
        name: topic.name,
        partitionData: [
          { index: 0, records: of(9) },
          { index: 1, records: of(10) },
        ],
      },
    ],
  })
  const errors = responses.flatMap(each => each.partitionResponses.map(({ errorCode }) => errorOf(errorCode).name))
  expect(errors).toEqual(['INVALID_PRODUCER_ID_MAPPING', 'INVALID_PRODUCER_ID_MAPPING'])
  expect(await topic.endOffset(1)).toBe(0)
})

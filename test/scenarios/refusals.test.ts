import { expect } from 'vitest'
import { Records } from '../../src/wire/records.ts'
import { story } from './story.ts'
import { Topic } from './topic.ts'

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

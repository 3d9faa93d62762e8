import { afterEach, expect, test } from 'vitest'
import { metadata } from '../../../../src/apis/metadata.ts'
import { produce, Stage } from './stage.ts'

let stage: Stage
afterEach(() => stage?.close())

const tight = { 'buffer.memory': 2000, 'batch.size': 1000 } as const
/** Nothing fits beside it in a batch. */
const large = { bytes: 800 }

test('with buffer.memory full and the broker silent, a send fails after max.block.ms (C-24, X-28)', async () => {
  stage = await Stage.open({ ...tight, 'max.block.ms': 300 })
  stage.proxy.on(produce, () => 'ignore')
  void stage.send('a', large)
  await stage.until(7)
  void stage.send('b', large)
  const { error, at } = await stage.send('c', large)
  expect(at).toBe(307)
  expect((error as Error).message).toMatch(
    /^Failed to allocate 1000 bytes within the configured max blocking time 300 ms/,
  )
  stage.asInKafka('buffer-exhausted')
  expect(stage.producer.metrics()).toMatchObject({
    'buffer-exhausted-total': 1,
    'record-error-total': 1,
    'buffer-available-bytes': 0,
  })
})

test('a send that waits for memory goes on when a batch is done (C-31)', async () => {
  stage = await Stage.open(tight)
  stage.proxy.on(produce, (_, { n }) => ({ afterMs: 150 * Math.min(n, 2) }))
  const sends = [stage.send('a', large)]
  await stage.until(3)
  sends.push(stage.send('b', large))
  await stage.until(4)
  sends.push(stage.send('c', large))
  await stage.until(10)
  expect(stage.producer.metrics()['waiting-threads']).toBe(1)
  await Promise.all(sends)
  stage.asInKafka('buffer-waits', { withinMs: 80 })
  expect(stage.producer.metrics()['waiting-threads']).toBe(0)
})

test('a send that waits for memory does not hurry what lingers (C-31, C-32)', async () => {
  stage = await Stage.open({ ...tight, 'linger.ms': 1000, 'max.block.ms': 3000 }, { partitions: 3 })
  const sends = [stage.send('a', large), stage.send('b', { ...large, partition: 1 })]
  await stage.until(101)
  sends.push(stage.send('c', { ...large, partition: 2 }))
  await Promise.all(sends)
  stage.asInKafka('buffer-pressure', { kinds: ['Produce'] })
  const [first, second] = stage.times('> Produce')
  expect([first, second! - stage.times('< Produce')[0]!]).toEqual([1000, 1000])
})

test('so with linger.ms above max.block.ms it fails, while records that could be sent lie idle (C-24, C-32)', async () => {
  stage = await Stage.open({ ...tight, 'linger.ms': 5000, 'max.block.ms': 1000 }, { partitions: 3 })
  void stage.send('a', large)
  void stage.send('b', { ...large, partition: 1 })
  await stage.until(101)
  expect(await stage.send('c', { ...large, partition: 2 })).toMatchObject({ at: 1101 })
  stage.asInKafka('buffer-pressure-timeout')
  // A small one still goes into an open batch.
  const before = stage.producer.metrics()['waiting-threads']
  void stage.send('d', { bytes: 50 })
  expect(stage.producer.metrics()['waiting-threads']).toBe(before)
})

test('with max.block.ms=0 it fails at once (C-24)', async () => {
  stage = await Stage.open({ ...tight, 'buffer.memory': 1000, 'linger.ms': 5000 })
  const producer = stage.another({ ...tight, 'buffer.memory': 1000, 'linger.ms': 5000, 'max.block.ms': 0 })
  await stage.send('unknown', {}, producer)
  await stage.wait(10)
  stage.writing.begin()
  void stage.send('a', large, producer)
  expect(await stage.send('b', large, producer)).toMatchObject({ at: 0 })
  stage.asInKafka('memory-max-block-0')
  await producer.close({ timeoutMs: 0 })
})

test('max.block.ms is for metadata and memory together (C-20)', async () => {
  stage = await Stage.open({ ...tight, 'buffer.memory': 1000 })
  const producer = stage.another({ ...tight, 'buffer.memory': 1000, 'linger.ms': 0, 'max.block.ms': 800 })
  stage.proxy.on(produce, () => 'ignore')
  stage.proxy.on(metadata, () => ({ afterMs: 400 }))
  stage.writing.begin()
  void stage.send('a', { bytes: 500 }, producer)
  const b = producer.send({ topic: 't', partition: 0, value: 'b'.padEnd(800) })
  expect(await stage.watch('b', b)).toMatchObject({ at: 800 })
  stage.asInKafka('max-block-shared', { kinds: ['ends'] })
  expect(stage.times('> Produce')[0]).toBeGreaterThanOrEqual(400)
  await producer.close({ timeoutMs: 0 })
})

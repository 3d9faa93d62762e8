import { afterEach, expect, test } from 'vitest'
import { linesOf, produce, refuseFirst, Stage } from './stage.ts'

let stage: Stage
afterEach(() => stage?.close())

const lingering = { 'linger.ms': 5000, 'delivery.timeout.ms': 60_000 } as const

/** With linger.ms, the first record needs a push. */
async function open(config = {}): Promise<Stage> {
  stage = await Stage.open({ ...lingering, ...config }, { warm: false })
  const warm = stage.send('warm')
  await stage.producer.flush()
  await warm
  await stage.wait(150)
  stage.writing.begin()
  return stage
}

test('flush sends at once and waits for what there is; what is sent meanwhile does not linger either (C-70)', async () => {
  await open()
  stage.proxy.on(produce, () => ({ afterMs: 200 }))
  void stage.send('a')
  void stage.send('b')
  const flushed = stage.producer.flush().then(() => stage.at)
  await stage.until(83)
  const c = stage.send('c')
  const at = await flushed
  await c
  stage.asInKafka('flush', { withinMs: 130 })
  expect(at).toBeLessThan(210)
  expect(stage.times('> Produce')).toEqual([0, 83])
})

test('flush does not reject for what failed (C-70)', async () => {
  await open()
  refuseFirst(stage, 'TOPIC_AUTHORIZATION_FAILED')
  void stage.send('a')
  await stage.producer.flush()
  stage.asInKafka('flush-failure')
})

test('close with no time fails what is in flight and what lingers, before it returns; later calls are refused or harmless (C-71)', async () => {
  await open()
  const lone = stage.another({ 'linger.ms': 0 })
  await stage.send('warm', {}, lone)
  stage.writing.begin()
  stage.proxy.on(produce, () => 'ignore')
  void stage.send('a', {}, lone)
  await stage.until(44)
  void stage.send('b', { partition: 1 })
  await lone.close({ timeoutMs: 0 })
  expect(stage.texts('ends')).toEqual(['a KafkaException'])
  await stage.producer.close({ timeoutMs: 0 })
  stage.asInKafka('close-0')
  await expect(stage.producer.send({ topic: 't', value: 'c' })).rejects.toMatchObject({ name: 'IllegalStateError' })
  await stage.producer.close()
  await stage.producer.flush()
  expect(await stage.producer.partitionsFor('t')).toHaveLength(2)
  expect(stage.producer.metrics()['buffer-available-bytes']).toBe(33_554_432)
  await expect(stage.another({}).close({ timeoutMs: -1 })).rejects.toMatchObject({ name: 'IllegalArgumentError' })
})

test('close sends what lingers (C-71)', async () => {
  await open()
  void stage.send('a')
  await stage.producer.close()
  stage.asInKafka('close-drains')
  expect(stage.at).toBeLessThan(10)
})

test('close with a time-out fails what is not done by then (C-71)', async () => {
  stage = await Stage.open()
  stage.proxy.on(produce, () => 'ignore')
  void stage.send('a')
  await stage.until(10)
  await stage.producer.close({ timeoutMs: 400 })
  expect(stage.at).toBe(410)
  stage.asInKafka('close-timeout')
})

test('close lets retries go on for its time (C-71)', async () => {
  stage = await Stage.open()
  refuseFirst(stage, ...Array(20).fill('NOT_ENOUGH_REPLICAS'))
  void stage.send('a')
  await stage.until(196)
  await stage.producer.close({ timeoutMs: 1500 })
  expect(stage.at).toBe(1696)
  stage.asInKafka('close-during-retries', { kinds: ['ends'] })
  expect(stage.times('> Produce').length).toBeGreaterThan(3)
})

test('a send that waits for metadata when its producer is closed is refused (C-72)', async () => {
  stage = await Stage.open()
  const waiting = stage.watch('a', stage.producer.send({ topic: 'no-such-topic', value: 'x' }))
  await stage.until(253)
  await stage.producer.close({ timeoutMs: 0 })
  expect((await waiting).error).toMatchObject({ message: 'Producer closed while send in progress' })
  expect(stage.at).toBe(253)
  // That one is thrown by send.
  expect(linesOf('close-blocked-metadata').filter(({ text }) => text.startsWith('a '))).toEqual([])
})

test('a send that waits for memory when its producer is closed is refused (C-72)', async () => {
  stage = await Stage.open({ 'buffer.memory': 1000, 'batch.size': 1000 })
  stage.proxy.on(produce, () => 'ignore')
  void stage.send('a', { bytes: 800 })
  await stage.until(2)
  const b = stage.producer.send({ topic: 't', partition: 0, value: 'x'.repeat(800) })
  const refused = expect(b).rejects.toMatchObject({ name: 'ClientError', message: /^Producer closed while/ })
  await stage.until(252)
  await stage.producer.close({ timeoutMs: 0 })
  await refused
  stage.asInKafka('close-blocked-memory')
})

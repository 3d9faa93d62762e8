import { afterEach, expect, test } from 'vitest'
import { linesOf, produce, Stage } from './stage.ts'

let stage: Stage
afterEach(() => stage?.close())

const threeRecords = { 'linger.ms': 200 } as const
const compacted = { topicConfigs: { 'cleanup.policy': 'compact' } } as const

/** Of a compacted topic: those without a key are refused. */
function send(label: string, key: string | null): Promise<unknown> {
  return stage.send(label, key === null ? {} : { key })
}

test('with acks=0 a record is done once it is handed to the connection, whatever the broker makes of it (C-47, X-33)', async () => {
  stage = await Stage.open(
    { acks: '0', 'enable.idempotence': false },
    { warm: false, topicConfigs: { 'max.message.bytes': 1000 } },
  )
  const a = await stage.send('a')
  expect(a.metadata).toMatchObject({ offset: -1, serializedKeySize: -1, serializedValueSize: 1 })
  const told = stage.producer.send({ topic: 't', partition: 0, value: 'b', key: 'k', timestamp: 5 })
  expect(await told).toEqual({
    topic: 't',
    partition: 0,
    offset: -1,
    timestamp: 5,
    serializedKeySize: 1,
    serializedValueSize: 1,
  })
  await stage.send('c', { bytes: 2000 })
  await stage.wait(200)
  expect(stage.times('conn closed by broker')).toHaveLength(1)
  await stage.send('d')
  stage.asInKafka('acks-0', { withinMs: 120 })
})

test('with acks=0 only what cannot be written at all fails, at delivery.timeout.ms (C-47)', async () => {
  const config = { acks: '0', 'enable.idempotence': false } as const
  stage = await Stage.open({ ...config, 'delivery.timeout.ms': 2000, 'request.timeout.ms': 1000 })
  for (const { address } of stage.cluster.brokers) stage.proxy.dead.add(`${address.host}:${address.port}`)
  stage.proxy.closeAll()
  await stage.send('a')
  stage.asInKafka('acks-0-no-broker')
  expect(stage.times('conn refused').length).toBeGreaterThanOrEqual(5)
})

test('after an answer with a throttle time the next request to that broker waits so long (C-37)', async () => {
  stage = await Stage.open()
  stage.proxy.on(produce, (_, { n }) =>
    n === 1 ? { edit: answer => ({ ...answer, throttleTimeMs: 400 }) } : undefined,
  )
  await stage.send('a')
  await stage.send('b')
  stage.asInKafka('throttle')
  expect(stage.times('> Produce')).toEqual([0, stage.times('< Produce')[0]! + 400])
  expect(stage.producer.metrics()['produce-throttle-time-max']).toBe(400)
})

test('one bad record of a batch has its own error, the others learn why they fail with it; the next begins a new epoch (C-45, X-16)', async () => {
  stage = await Stage.open(threeRecords, { ...compacted, warm: false })
  await send('warm', 'k')
  stage.writing.begin()
  await Promise.all([send('a', 'a'), send('b', null), send('c', 'c')])
  await send('d', 'd')
  stage.asInKafka('record-errors-one')
})

test('several bad records have an error each (C-45)', async () => {
  stage = await Stage.open(threeRecords, { ...compacted, warm: false })
  await send('warm', 'k')
  stage.writing.begin()
  await Promise.all([send('a', 'a'), send('b', null), send('c', null)])
  stage.asInKafka('record-errors-two')
})

test('a record two hours ahead of time is refused, and its neighbours with it (C-45)', async () => {
  stage = await Stage.open(threeRecords)
  const ahead = { topic: 't', partition: 0, value: 'b', timestamp: stage.cluster.clock.now() + 7_200_000 }
  await Promise.all([stage.send('a'), stage.watch('b', stage.producer.send(ahead)), stage.send('c')])
  stage.asInKafka('bad-timestamp')
})

test("of a topic with LogAppendTime a record learns the broker's time, not its own (C-27)", async () => {
  stage = await Stage.open({}, { topicConfigs: { 'message.timestamp.type': 'LogAppendTime' } })
  const { timestamp } = await stage.producer.send({ topic: 't', partition: 0, value: 'a', timestamp: 5 })
  expect(linesOf('log-append-time')).toEqual([])
  expect(timestamp).toBe(stage.cluster.clock.now())
})

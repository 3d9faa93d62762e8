import { afterEach, expect, test } from 'vitest'
import { metadata } from '../../../../src/apis/metadata.ts'
import { errorCodes } from '../../../../src/wire/errors.ts'
import { linesOf, Stage, traceOf } from './stage.ts'

let stage: Stage
afterEach(() => stage?.close())

const unknown = { topic: 'no-such-topic', value: 'x' }
const cold = { warm: false } as const

/** Nobody listens at the broker's address any more. */
function killBroker(): void {
  for (const { address } of stage.cluster.brokers) stage.proxy.dead.add(`${address.host}:${address.port}`)
  stage.proxy.closeAll()
}

function reviveBroker(): void {
  stage.proxy.dead.clear()
}

test('a new producer asks for versions and metadata, then for its id, and sends over a connection of its own (C-61, C-83)', async () => {
  stage = await Stage.open({}, cold)
  await stage.send('a')
  stage.asInKafka('connect', { kinds: ['Metadata', 'InitProducerId', 'Produce', 'ends'] })
  const first = stage.writing.lines.map(({ text }) => text).slice(0, 4)
  expect(first).toEqual(['conn opened', '> ApiVersions', '< ApiVersions', '> Metadata topics=[t]'])
})

test('a topic that nobody knows is asked for after 100, 200, 400 ms, until max.block.ms (C-22, X-27)', async () => {
  stage = await Stage.open({ 'max.block.ms': 1000 }, cold)
  const { error, at } = await stage.watch('a', stage.producer.send(unknown))
  expect(at).toBe(1000)
  expect(error).toMatchObject({
    message: 'Topic no-such-topic not present in metadata after 1000 ms.',
    cause: { errorName: 'UNKNOWN_TOPIC_OR_PARTITION' },
  })
  stage.asInKafka('unknown-topic', { kinds: ['Metadata', 'ends'] })
})

test('with max.block.ms=0 a send fails at once, and metadata is asked for all the same (C-22)', async () => {
  stage = await Stage.open({ 'max.block.ms': 0 }, cold)
  expect(await stage.watch('a', stage.producer.send(unknown))).toMatchObject({ at: 0 })
  await stage.wait(50)
  stage.asInKafka('unknown-topic-0', { kinds: ['Metadata', 'ends'] })
})

test('partitionsFor fails in the same way (C-22)', async () => {
  stage = await Stage.open({ 'max.block.ms': 400 }, cold)
  await expect(stage.producer.partitionsFor('no-such-topic')).rejects.toMatchObject({
    errorName: 'REQUEST_TIMED_OUT',
    cause: { errorName: 'UNKNOWN_TOPIC_OR_PARTITION' },
  })
  expect(stage.at).toBe(400)
  stage.asInKafka('partitionsFor-unknown', { kinds: ['Metadata'] })
})

test('with no broker to be reached it fails too, and says why, which Kafka does not (C-22)', async () => {
  stage = await Stage.open({ 'max.block.ms': 800 }, cold)
  killBroker()
  const { error, at } = await stage.send('a')
  expect(at).toBe(800)
  expect((error as Error).cause).toMatchObject({ name: 'ConnectionError' })
  expect((error as Error).message).toMatch(/^Topic t not present in metadata after 800 ms\. No broker can be reached: /)
  stage.asInKafka('no-broker', { kinds: ['ends'] })
  const theirs = traceOf('no-broker').filter(line => line.includes('refused')).length
  expect(Math.abs(stage.times('conn refused').length - theirs)).toBeLessThanOrEqual(1)
})

test('a topic that the cluster makes by itself is unknown at first, and there 100 ms later (C-22)', async () => {
  stage = await Stage.open({}, { ...cold, brokerConfigs: { 'auto.create.topics.enable': true } })
  await stage.watch('a', stage.producer.send({ topic: 'new', value: 'a' }))
  stage.asInKafka('auto-create', { kinds: ['Metadata', 'Produce', 'ends'] })
})

test('a topic that may not be read of in metadata is refused at once (C-22)', async () => {
  stage = await Stage.open({}, cold)
  stage.proxy.on(metadata, () => ({
    edit: answer => ({
      ...answer,
      topics: answer.topics.map(topic => ({
        ...topic,
        errorCode: errorCodes.TOPIC_AUTHORIZATION_FAILED,
        partitions: [],
      })),
    }),
  }))
  await stage.send('a')
  stage.asInKafka('topic-denied', { kinds: ['Metadata', 'ends'] })
})

test('a name that no topic can have is refused at once, the second time without a request (C-21, C-22)', async () => {
  stage = await Stage.open({}, cold)
  const send = (label: string, topic: string) => stage.watch(label, stage.producer.send({ topic, value: 'x' }))
  await send('a', 'bad topic!')
  await send('b', 'bad topic!')
  expect(stage.times('> Metadata')).toHaveLength(1)
  await send('c', '..')
  await send('d', 'x'.repeat(300))
  const words = linesOf('null-callback-metadata').filter(({ text }) => /^[abcd] /.test(text))
  expect(stage.texts('ends')).toEqual(words.map(({ text }) => text))
  // Each is asked for once, without those that can never be.
  expect(stage.texts('Metadata').filter(text => text.startsWith('>'))).toEqual([
    '> Metadata topics=[bad topic!]',
    '> Metadata topics=[..]',
    `> Metadata topics=[${'x'.repeat(300)}]`,
  ])
})

test('metadata is refreshed at metadata.max.age.ms, whether it is used or not (C-80)', async () => {
  stage = await Stage.open({ 'metadata.max.age.ms': 600 })
  await stage.wait(1800)
  const theirs = linesOf('metadata-age').filter(({ text }) => text.startsWith('> Metadata'))
  const ours = stage.times('> Metadata')
  expect(ours).toHaveLength(theirs.length)
  for (const [index, at] of ours.slice(1).entries()) expect(at - ours[index]!).toBeLessThanOrEqual(603)
})

test('a topic that was not used for metadata.max.idle.ms is left out of the next refresh (C-80)', async () => {
  stage = await Stage.open({ 'metadata.max.age.ms': 1000, 'metadata.max.idle.ms': 5000 })
  await stage.cluster.createTopic({ name: 'u', partitions: 1 })
  stage.writing.begin()
  for (let i = 0; i < 14; i++) {
    await stage.watch('v', stage.producer.send({ topic: 'u', value: 'v' }))
    await stage.until(500 * (i + 1))
  }
  const asked = stage.lines('Metadata').filter(({ text }) => text.startsWith('> Metadata'))
  const withBoth = asked.filter(({ text }) => text === '> Metadata topics=[t, u]')
  const last = withBoth.at(-1)!.at
  expect(last).toBeGreaterThan(3500)
  expect(last).toBeLessThan(5000)
  const later = asked.filter(({ at }) => at > last)
  expect(new Set(later.map(({ text }) => text))).toEqual(new Set(['> Metadata topics=[u]']))
  expect(linesOf('idle-metadata').at(-1)?.text).toBe('> Metadata topics=[t]')
})

test('records of a partition without a leader wait, metadata is asked for at growing intervals (C-32)', async () => {
  stage = await Stage.open({}, cold)
  stage.proxy.on(metadata, (_, { n }) =>
    n > 3
      ? undefined
      : {
          edit: answer => ({
            ...answer,
            topics: answer.topics.map(topic => ({
              ...topic,
              partitions: topic.partitions.map(one => ({ ...one, leaderId: -1 })),
            })),
          }),
        },
  )
  await stage.send('a')
  stage.asInKafka('no-leader', { kinds: ['Metadata', 'Produce', 'ends'] })
})

test('a topic that was deleted and made again has another id: the batch goes there with its old sequence (C-43, C-49)', async () => {
  stage = await Stage.open({}, { partitions: 1 })
  const admin = stage.cluster.admin()
  await admin.deleteTopics(['t'])
  await admin.createTopics([{ name: 't', partitions: 1, replicationFactor: 1 }])
  stage.writing.begin()
  await stage.send('a')
  const shifted = linesOf('topic-recreated')[0]!.at
  stage.asInKafka('topic-recreated', { kinds: ['Produce', 'ends'], withinMs: shifted + 100 })
})

test('of a topic that was deleted a batch expires, while metadata is asked for once a second at last (C-22, C-40)', async () => {
  stage = await Stage.open({ 'delivery.timeout.ms': 1500, 'request.timeout.ms': 1000, 'max.block.ms': 5000 })
  await stage.cluster.admin().deleteTopics(['t'])
  stage.writing.begin()
  await stage.send('a')
  await stage.send('b')
  const theirs = linesOf('topic-deleted').filter(({ text }) => text.startsWith('> Metadata'))
  const ours = stage.times('> Metadata')
  const pauses = (times: readonly number[]) => times.slice(1).map((at, index) => at - times[index]!)
  expect(stage.texts('ends')).toEqual(['a TimeoutException', 'b TimeoutException'])
  const [here, there] = [pauses(ours), pauses(theirs.map(({ at }) => at))]
  for (const [index, pause] of here.slice(0, 7).entries()) {
    expect(Math.abs(pause - there[index]!), `pause ${index}: ${here} in Kafka ${there}`).toBeLessThanOrEqual(
      Math.max(60, 0.45 * there[index]!),
    )
  }
})

test('an idle connection is closed, and made again when it is needed (C-80)', async () => {
  stage = await Stage.open({ 'connections.max.idle.ms': 600 })
  await stage.wait(2000)
  expect(stage.times('conn closed by client').length).toBeGreaterThanOrEqual(1)
  stage.writing.begin()
  await stage.send('a')
  expect(stage.texts('Produce', 'ends')).toEqual(
    linesOf('idle-connection')
      .filter(({ text }) => !text.includes('Metadata'))
      .map(({ text }) => text),
  )
})

test('a broker that is gone is tried again after 50 ms and twice as long each time, up to a second (C-42)', async () => {
  stage = await Stage.open()
  killBroker()
  stage.writing.begin()
  const a = stage.send('a')
  await stage.until(3000)
  reviveBroker()
  await a
  stage.asInKafka('reconnect-backoff', { kinds: ['Produce', 'ends'], withinMs: 1100 })
  const attempts = stage.proxy.attempts.filter(({ to }) => to !== '')
  expect(attempts.length).toBeGreaterThan(6)
  const refused = stage.times('conn refused')
  expect(refused.length).toBeLessThanOrEqual(
    2 * traceOf('reconnect-backoff').filter(line => /refused/.test(line)).length,
  )
})

/** The bootstrap servers are at another address than the broker says of itself; later it says a third one. */
async function startElsewhere(config: object): Promise<void> {
  stage = await Stage.open(config, { warm: false, bootstrap: [{ host: 'bootstrap', port: 9092 }] })
  const { address } = stage.cluster.broker(1)
  stage.proxy.moved.set('bootstrap:9092', address)
  stage.proxy.moved.set('third:9092', address)
  await stage.send('warm')
  await stage.wait(150)
  const movedAway = { host: 'third', port: 9092 }
  stage.proxy.on(metadata, () => ({
    edit: answer => ({ ...answer, brokers: answer.brokers.map(broker => ({ ...broker, ...movedAway })) }),
  }))
  stage.proxy.attempts.length = 0
  stage.writing.begin()
}

const addressOf = () => {
  const { host, port } = stage.cluster.broker(1).address
  return `${host}:${port}`
}

test('when no known broker can be reached, the bootstrap servers are asked again at once (C-82)', async () => {
  await startElsewhere({ 'metadata.recovery.rebootstrap.trigger.ms': 1000 })
  stage.proxy.dead.add(addressOf())
  stage.proxy.closeAll()
  await stage.send('a')
  stage.asInKafka('rebootstrap-rebootstrap', { kinds: ['Metadata', 'ends'], withinMs: 150 })
  expect(stage.proxy.attempts.map(({ to }) => to)).toContain('bootstrap:9092')
})

test('with metadata.recovery.strategy=none they never are (C-82)', async () => {
  await startElsewhere({ 'metadata.recovery.strategy': 'none', 'metadata.recovery.rebootstrap.trigger.ms': 1000 })
  stage.proxy.dead.add(addressOf())
  stage.proxy.closeAll()
  void stage.send('a')
  await stage.until(6000)
  expect(stage.texts('ends')).toEqual(linesOf('rebootstrap-none'))
  expect(new Set(stage.proxy.attempts.map(({ to }) => to))).toEqual(new Set([addressOf()]))
})

test('when the known brokers take requests without answering, they are asked again after the trigger (C-82)', async () => {
  await startElsewhere({ 'metadata.recovery.rebootstrap.trigger.ms': 2000, 'request.timeout.ms': 800 })
  stage.proxy.silent.add(addressOf())
  await stage.send('a')
  const asked = stage.lines('Metadata').filter(({ text }) => text.startsWith('<'))[0]!.at
  // 800 ms until the first request is given up, then the trigger.
  expect(asked).toBeGreaterThanOrEqual(2800)
  stage.asInKafka('rebootstrap-silent', { kinds: ['ends'], withinMs: 600 })
})

test('a broker may send its clients back to the bootstrap servers (C-82)', async () => {
  await startElsewhere({ 'metadata.max.age.ms': 1000 })
  const asked: string[] = []
  stage.proxy.on(metadata, (_, { to }) => {
    asked.push(to)
    if (to !== addressOf()) return undefined
    return { edit: answer => ({ ...answer, errorCode: errorCodes.REBOOTSTRAP_REQUIRED }) }
  })
  await stage.wait(1500)
  expect(asked.slice(0, 2)).toEqual([addressOf(), 'bootstrap:9092'])
  await stage.send('a')
  expect(stage.texts('ends')).toEqual(['a ok t-0 offset 1'])
})

test('dead bootstrap servers are skipped (C-83)', async () => {
  stage = await Stage.open({}, cold)
  const { address } = stage.cluster.broker(1)
  const dead = ['one', 'two'].map(host => ({ host, port: 9092 }))
  for (const { host, port } of dead) stage.proxy.dead.add(`${host}:${port}`)
  const producer = stage.another({ 'linger.ms': 0 }, [...dead, address])
  stage.writing.begin()
  await stage.send('a', {}, producer)
  stage.asInKafka('least-loaded', { kinds: ['Metadata', 'InitProducerId', 'Produce', 'ends'], withinMs: 350 })
  await producer.close()
})

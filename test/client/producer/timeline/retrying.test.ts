import { afterEach, expect, test } from 'vitest'
import { produce, refusal, refuseFirst, Stage } from './stage.ts'

let stage: Stage
afterEach(() => stage?.close())

const plain = { 'enable.idempotence': false } as const

test('pauses between retries double from 100 ms, 20 % more or less, up to 1000 ms (C-36)', async () => {
  stage = await Stage.open()
  refuseFirst(stage, ...Array(8).fill('NOT_ENOUGH_REPLICAS'))
  await stage.send('a')
  stage.asInKafka('retry-backoff')
  const asked = stage.times('> Produce')
  const pauses = asked.slice(1).map((at, index) => at - asked[index]!)
  const least = [80, 160, 320, 640, 800, 800, 800, 800]
  const most = [120, 240, 480, 960, 1000, 1000, 1000, 1000]
  for (const [index, pause] of pauses.entries()) {
    expect(pause).toBeGreaterThanOrEqual(least[index]!)
    expect(pause).toBeLessThanOrEqual(most[index]!)
  }
})

test('retries=2 makes three attempts; the sequence of a batch that used them up is a gap that costs the next one too (C-41, C-42, C-53)', async () => {
  stage = await Stage.open({ retries: 2 })
  refuseFirst(stage, 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS')
  for (const label of ['a', 'b', 'c', 'd']) await stage.send(label)
  stage.asInKafka('retries-exhausted')
})

test('NOT_LEADER_OR_FOLLOWER has metadata refreshed, and the batch sent again after its pause (C-42, C-43)', async () => {
  stage = await Stage.open()
  refuseFirst(stage, 'NOT_LEADER_OR_FOLLOWER')
  await stage.send('a')
  stage.asInKafka('not-leader', { kinds: ['Produce', 'Metadata', 'ends'] })
})

test('with a newer leader in the refusal the batch goes again at once (C-36, C-43)', async () => {
  stage = await Stage.open()
  const { host, port } = stage.cluster.broker(1).address
  stage.proxy.on(produce, (body, { n }) => {
    if (n > 1) return undefined
    const told = refusal(body, 'NOT_LEADER_OR_FOLLOWER', { currentLeader: { leaderId: 1, leaderEpoch: 7 } })
    return { answer: { ...told, nodeEndpoints: [{ nodeId: 1, host, port }] } }
  })
  await stage.send('a')
  stage.asInKafka('not-leader-hint')
  expect(stage.times('> Produce')).toEqual([0, 0])
})

test('a partition that is refused does not hold up another one (C-35, C-36)', async () => {
  stage = await Stage.open()
  refuseFirst(stage, 'NOT_ENOUGH_REPLICAS', undefined, 'NOT_ENOUGH_REPLICAS')
  const a = stage.send('a')
  await stage.wait(11)
  await stage.send('b', { partition: 1 })
  await a
  stage.asInKafka('retry-order-two-partitions')
})

test('while a batch pauses nothing of its partition is sent; behind it, another may go before its turn, and goes again (C-34, C-36)', async () => {
  stage = await Stage.open()
  refuseFirst(stage, 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS')
  const a = stage.send('a')
  await stage.wait(32)
  await Promise.all([a, stage.send('b')])
  stage.asInKafka('later-batch-waits-for-retry')
})

test('without idempotence a batch overtakes the refused one before it (C-35)', async () => {
  stage = await Stage.open(plain)
  refuseFirst(stage, 'NOT_ENOUGH_REPLICAS', 'NOT_ENOUGH_REPLICAS')
  const a = stage.send('a')
  await stage.wait(32)
  await Promise.all([a, stage.send('b')])
  stage.asInKafka('plain-later-batch-during-backoff')
})

/** a, b and c in flight together; a is refused when c is on its way. */
async function threeInFlight(): Promise<void> {
  stage.proxy.on(produce, (body, { n }) => {
    if (n === 1) return { answer: refusal(body, 'NOT_LEADER_OR_FOLLOWER'), afterMs: 24 }
    return n <= 3 ? { afterMs: n === 2 ? 13 : 1 } : undefined
  })
  const sends = [stage.send('a')]
  await stage.until(12)
  sends.push(stage.send('b'))
  await stage.until(23)
  sends.push(stage.send('c'))
  await Promise.all(sends)
}

test('batches behind a refused one are refused too, and all go again one by one in the order of their sequences (C-34, C-35, X-31)', async () => {
  stage = await Stage.open()
  await threeInFlight()
  stage.asInKafka('in-flight-idempotent')
})

test('without idempotence the log has b, c, a (C-35, X-32)', async () => {
  stage = await Stage.open(plain)
  await threeInFlight()
  stage.asInKafka('in-flight-plain')
})

test('with one request in flight a refused batch holds its partition, and only that (C-35)', async () => {
  stage = await Stage.open({ ...plain, 'max.in.flight.requests.per.connection': 1 })
  refuseFirst(stage, 'NOT_LEADER_OR_FOLLOWER')
  const sends = [stage.send('a')]
  await stage.until(13)
  sends.push(stage.send('b'))
  await stage.until(14)
  sends.push(stage.send('c', { partition: 1 }))
  await Promise.all(sends)
  stage.asInKafka('in-flight-1-plain')
})

test('five requests to a broker may be unanswered; the sixth waits, and takes along what comes meanwhile (C-37)', async () => {
  stage = await Stage.open()
  const released = stage.runtime.deferred()
  stage.proxy.on(produce, (_, { n }) => (n <= 5 ? { until: released.promise } : undefined))
  const sends: Promise<unknown>[] = []
  for (let i = 1; i <= 7; i++) {
    sends.push(stage.send(`r${i}`))
    await stage.until(3 + 40 * i)
  }
  await stage.until(485)
  expect(stage.producer.metrics()['requests-in-flight']).toBe(5)
  released.resolve()
  await Promise.all(sends)
  stage.asInKafka('in-flight-limit', { kinds: ['Produce'] })
})

test('a connection that ends at every Produce is made again after every pause, with metadata refreshed each time (C-42)', async () => {
  stage = await Stage.open()
  stage.proxy.on(produce, (_, { n }) => (n <= 3 ? 'close' : undefined))
  await stage.send('a')
  stage.asInKafka('unsupported-version')
  expect(stage.times('> Metadata')).toHaveLength(3)
})

test('a batch whose answer is lost is sent again with its sequence, and is in the log once (C-42, I-4)', async () => {
  stage = await Stage.open()
  stage.proxy.on(produce, (_, { n }) => (n === 1 ? { fate: 'lose' } : undefined))
  await stage.send('a')
  await stage.send('b')
  stage.asInKafka('lost-answer')
  expect(stage.times('> Metadata')).toHaveLength(1)
})

test('without idempotence it is in the log twice, and its sender hears of the second (C-42)', async () => {
  stage = await Stage.open(plain)
  stage.proxy.on(produce, (_, { n }) => (n === 1 ? { fate: 'lose' } : undefined))
  await stage.send('a')
  await stage.send('b')
  stage.asInKafka('lost-answer-plain')
})

test('a request without an answer ends its connection after request.timeout.ms; all that was in flight on it goes again, one by one (C-42)', async () => {
  stage = await Stage.open({ 'request.timeout.ms': 800 })
  stage.proxy.on(produce, (_, { n }) => (n === 1 ? { fate: 'keep' } : undefined))
  const a = stage.send('a')
  await stage.until(313)
  await Promise.all([a, stage.send('b')])
  // Kafka's client looks at its clock only when it is woken, here 315 ms late.
  stage.asInKafka('request-timeout', { withinMs: 400 })
  expect(stage.times('conn closed by client')).toEqual([800])
})

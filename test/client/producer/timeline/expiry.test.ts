import { afterEach, expect, test } from 'vitest'
import { produce, refusal, refuseFirst, Stage } from './stage.ts'

let stage: Stage
afterEach(() => stage?.close())

const whole = 33_554_432

/** So many Produce requests are neither handed on nor answered. */
function ignoreFirst(times: number): void {
  stage.proxy.on(produce, (_, { n }) => (n <= times ? 'ignore' : undefined))
}

test('a record that is always refused fails at delivery.timeout.ms with a time-out; the next begins a new epoch (C-40, C-41)', async () => {
  stage = await Stage.open({ 'delivery.timeout.ms': 1500, 'request.timeout.ms': 1000 })
  refuseFirst(stage, ...Array(4).fill('NOT_ENOUGH_REPLICAS'))
  const { at } = await stage.send('a')
  expect(at).toBe(1500)
  await stage.send('b')
  stage.asInKafka('delivery-timeout-error')
})

test('a batch that was sent again fails in flight at delivery.timeout.ms; the epoch is raised without asking anybody (C-40, C-41, C-42, X-29)', async () => {
  stage = await Stage.open({ 'delivery.timeout.ms': 1800, 'request.timeout.ms': 1000 })
  ignoreFirst(3)
  const { at } = await stage.send('a')
  expect(at).toBe(1800)
  await stage.send('b')
  stage.asInKafka('delivery-timeout-in-flight', { kinds: ['Produce', 'Metadata', 'InitProducerId', 'ends'] })
})

test('where request and delivery are out of time together, the request is given up first (C-40, C-42)', async () => {
  stage = await Stage.open({ 'delivery.timeout.ms': 1500, 'request.timeout.ms': 1500 })
  ignoreFirst(1)
  const { at, error } = await stage.send('a')
  expect(at).toBe(1500)
  expect((error as Error).message).toMatch(/^Expiring 1 record\(s\) for t-0:1500 ms .* was not answered in time$/)
  await stage.wait(100)
  stage.asInKafka('delivery-timeout-before-request-timeout', { kinds: ['Produce', 'Metadata', 'ends'] })
})

test('a batch that waited for the only request in flight goes with what is left of its time (C-40)', async () => {
  stage = await Stage.open({
    'delivery.timeout.ms': 3000,
    'request.timeout.ms': 3000,
    'max.in.flight.requests.per.connection': 1,
  })
  ignoreFirst(2)
  const a = stage.send('a')
  await stage.until(511)
  const { at } = await stage.send('b')
  expect([(await a).at, at]).toEqual([3000, 3511])
  stage.asInKafka('delivery-timeout-queued')
})

test('a first attempt that is given up with its request leaves no gap: the epoch is raised (C-40, C-41)', async () => {
  stage = await Stage.open({ 'delivery.timeout.ms': 1500, 'request.timeout.ms': 1500 })
  ignoreFirst(1)
  await stage.send('a')
  await stage.send('b')
  await stage.send('c')
  stage.asInKafka('expired-first-attempt')
  expect(stage.producer.metrics()['buffer-available-bytes']).toBe(whole)
})

test('a first attempt that expires while its request is in time leaves a gap, which costs the next record too (C-41)', async () => {
  stage = await Stage.open({ 'delivery.timeout.ms': 1800, 'request.timeout.ms': 1000, 'linger.ms': 800 })
  ignoreFirst(1)
  const a = stage.send('a')
  await stage.until(790)
  // It has to connect first, so that its request is out of time after it.
  stage.proxy.closeAll()
  await a
  await stage.send('b')
  await stage.send('c')
  stage.asInKafka('expired-first-attempt-no-bump')
})

test('what was sent behind a batch that expired goes on under a new epoch (C-34, C-41)', async () => {
  stage = await Stage.open({ 'delivery.timeout.ms': 1500, 'request.timeout.ms': 1000 })
  stage.proxy.on(produce, (body, { n }) =>
    n <= 3 || n === 5 ? { answer: refusal(body, 'NOT_ENOUGH_REPLICAS') } : undefined,
  )
  const sends = [stage.send('a')]
  await stage.until(311)
  sends.push(stage.send('b'))
  await stage.until(411)
  sends.push(stage.send('c'))
  await Promise.all(sends)
  stage.asInKafka('expired-with-followers')
})

test('memory of a batch that expires in flight is given back when its request is over, not before (C-31)', async () => {
  stage = await Stage.open({ 'delivery.timeout.ms': 2000, 'request.timeout.ms': 1500 })
  stage.proxy.on(produce, (body, { n }) => {
    if (n === 1) return { answer: refusal(body, 'NOT_ENOUGH_REPLICAS') }
    return n <= 4 ? 'ignore' : undefined
  })
  const free = () => stage.producer.metrics()['buffer-available-bytes']
  await stage.send('a')
  expect(free()).toBe(whole - 16_384)
  await stage.wait(300)
  expect(free()).toBe(whole - 16_384)
  await stage.send('b')
  expect(free()).toBe(whole)
  stage.asInKafka('expired-in-flight-memory')
})

test('flush ends when what it waits for has expired (C-40, C-70)', async () => {
  stage = await Stage.open({ 'delivery.timeout.ms': 1000, 'request.timeout.ms': 500 })
  await stage.producer.flush()
  expect(stage.at).toBe(0)
  stage.proxy.on(produce, () => 'ignore')
  const a = stage.send('a')
  await stage.producer.flush()
  expect(stage.at).toBe(1000)
  await a
  stage.asInKafka('flush-deadline', { kinds: ['ends'] })
})

test('a batch that its answer does not mention is neither retried nor done: it expires, and leaves a gap (C-49)', async () => {
  stage = await Stage.open({ 'delivery.timeout.ms': 2500, 'request.timeout.ms': 1000, retries: 1 })
  stage.proxy.on(produce, (_, { n }) => (n === 1 ? { answer: { responses: [] } } : undefined))
  await stage.send('a')
  await stage.send('b')
  stage.asInKafka('answer-misses-partition')
  expect(stage.producer.metrics()['buffer-available-bytes']).toBe(whole)
})

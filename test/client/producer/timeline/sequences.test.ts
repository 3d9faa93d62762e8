import { afterEach, expect, test } from 'vitest'
import { initProducerId } from '../../../../src/apis/init-producer-id.ts'
import { type ErrorName, errorCodes } from '../../../../src/wire/errors.ts'
import { produce, refusal, refuseFirst, Stage } from './stage.ts'

let stage: Stage
afterEach(() => stage?.close())

/** An answer without a producer id. */
function denied(error: ErrorName) {
  return { answer: { errorCode: errorCodes[error], producerId: -1, producerEpoch: -1, throttleTimeMs: 0 } }
}

test('OUT_OF_ORDER_SEQUENCE_NUMBER for the next expected batch: it goes again under the next epoch from sequence 0 (C-53)', async () => {
  stage = await Stage.open()
  refuseFirst(stage, 'OUT_OF_ORDER_SEQUENCE_NUMBER')
  await stage.send('a')
  await stage.send('b')
  stage.asInKafka('sequence-gap', { kinds: ['Produce', 'InitProducerId', 'ends'] })
})

test('the epoch is that of the producer: other partitions take it with their next batch (C-53)', async () => {
  stage = await Stage.open()
  await stage.send('first', { partition: 1 })
  await stage.send('second', { partition: 1 })
  stage.writing.begin()
  refuseFirst(stage, 'OUT_OF_ORDER_SEQUENCE_NUMBER')
  await stage.send('a')
  await stage.send('b', { partition: 1 })
  await stage.send('c', { partition: 1 })
  stage.asInKafka('sequence-gap-two-partitions')
})

test('DUPLICATE_SEQUENCE_NUMBER is a success without an offset (C-46)', async () => {
  stage = await Stage.open()
  refuseFirst(stage, 'DUPLICATE_SEQUENCE_NUMBER')
  await stage.send('a')
  await stage.send('b')
  stage.asInKafka('duplicate-sequence')
})

test('DUPLICATE_SEQUENCE_NUMBER with an offset is a success at that offset (C-46)', async () => {
  stage = await Stage.open()
  stage.proxy.on(produce, body => ({ answer: refusal(body, 'DUPLICATE_SEQUENCE_NUMBER', { baseOffset: 77 }) }))
  await stage.send('a')
  stage.asInKafka('duplicate-sequence-base')
})

test('UNKNOWN_PRODUCER_ID that does not say where the log starts: the batch goes again unchanged (C-52)', async () => {
  stage = await Stage.open()
  refuseFirst(stage, 'UNKNOWN_PRODUCER_ID')
  await stage.send('a')
  await stage.send('b')
  stage.asInKafka('unknown-producer-id')
})

test('UNKNOWN_PRODUCER_ID where the log starts behind the last acknowledged offset: a new epoch (C-52)', async () => {
  stage = await Stage.open()
  stage.proxy.on(produce, (body, { n }) =>
    n === 1 ? { answer: refusal(body, 'UNKNOWN_PRODUCER_ID', { logStartOffset: 1000 }) } : undefined,
  )
  await stage.send('a')
  await stage.send('b')
  stage.asInKafka('unknown-producer-id-start')
})

test('InitProducerId is repeated after retry.backoff.ms, always the same (C-61)', async () => {
  stage = await Stage.open({}, { warm: false })
  stage.proxy.on(initProducerId, (_, { n }) => (n <= 2 ? denied('COORDINATOR_LOAD_IN_PROGRESS') : undefined))
  await stage.send('a')
  stage.asInKafka('init-producer-id-error', { kinds: ['InitProducerId', 'Produce', 'ends'] })
  expect(stage.times('> InitProducerId')).toEqual([0, 100, 200].map(ms => ms + stage.times('> InitProducerId')[0]!))
})

test('a producer that may not have an id fails what is queued, and works once it may (C-61)', async () => {
  stage = await Stage.open({}, { warm: false })
  let isAllowed = false
  stage.proxy.on(initProducerId, () => (isAllowed ? undefined : denied('CLUSTER_AUTHORIZATION_FAILED')))
  await stage.send('a')
  await stage.send('b')
  const asked = stage.times('> InitProducerId').length
  await stage.wait(300)
  isAllowed = true
  await stage.send('c')
  stage.asInKafka('init-producer-id-denied', { kinds: ['Produce', 'ends'], withinMs: 250 })
  // Kafka's client asks hundreds of times a second, needed or not.
  expect(stage.times('> InitProducerId').length - asked).toBeLessThanOrEqual(3)
})

/** In Kafka it is pending for as long as InitProducerId is (docs/deviations.md). */
test('while InitProducerId is not answered, a record outlives delivery.timeout.ms until that attempt is over (C-40, C-61)', async () => {
  stage = await Stage.open({ 'request.timeout.ms': 500, 'delivery.timeout.ms': 1200 }, { warm: false })
  stage.proxy.on(initProducerId, () => 'ignore')
  const { at } = await stage.send('a')
  stage.asInKafka('init-producer-id-hang', { kinds: ['ends'], withinMs: 6_000 })
  expect(at).toBeGreaterThan(1200)
  expect(at).toBeLessThan(1800)
})

test('close with a time-out ends the wait for a producer id (C-71)', async () => {
  stage = await Stage.open({ 'request.timeout.ms': 500 }, { warm: false })
  stage.proxy.on(initProducerId, () => 'ignore')
  const a = stage.send('a')
  await stage.until(317)
  await stage.producer.close({ timeoutMs: 1000 })
  await a
  expect(stage.at).toBe(1317)
  stage.asInKafka('init-producer-id-hang-close', { kinds: ['ends'] })
})

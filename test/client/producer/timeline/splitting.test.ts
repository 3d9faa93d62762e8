import { afterEach, expect, test } from 'vitest'
import { linesOf, Stage } from './stage.ts'

let stage: Stage
afterEach(() => stage?.close())

const small = { topicConfigs: { 'max.message.bytes': 1000 } }

test('a batch above max.message.bytes is sent again, then in halves, with its sequences; callbacks come part by part (C-44, X-30)', async () => {
  stage = await Stage.open({ 'linger.ms': 200 }, small)
  await Promise.all(Array.from({ length: 8 }, (_, i) => stage.send(`r${i}`, { bytes: 200 })))
  stage.asInKafka('too-large-split')
  expect(stage.producer.metrics()).toMatchObject({ 'batch-split-total': 2, 'record-retry-total': 0 })
})

test('parts that are still too large are halved again; order stays that of the sends (C-44)', async () => {
  stage = await Stage.open({ 'linger.ms': 200, 'batch.size': 4000 }, small)
  const sent = await Promise.all(Array.from({ length: 12 }, (_, i) => stage.send(`r${i}`, { bytes: 300 })))
  stage.asInKafka('too-large-split-deep', { kinds: ['Produce'] })
  expect(sent.map(({ metadata }) => metadata?.offset)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  expect(stage.producer.metrics()['batch-split-total']).toBe(4)
})

test('a single record that is too large fails, and the next begins a new epoch (C-41, C-44)', async () => {
  stage = await Stage.open({}, small)
  await stage.send('a', { bytes: 2000 })
  await stage.send('b')
  stage.asInKafka('too-large-single')
})

test('a record that is too large fails alone, its neighbours in the batch do not (C-44)', async () => {
  stage = await Stage.open({ 'linger.ms': 200 }, small)
  const sizes = { a: 100, b: 2000, c: 100 }
  await Promise.all(Object.entries(sizes).map(([label, bytes]) => stage.send(label, { bytes })))
  await stage.send('d')
  stage.asInKafka('too-large-in-batch')
})

/** There the split yields the same batch again and again, until delivery.timeout.ms (docs/deviations.md). */
test('a split always makes smaller batches, where that of the Java producer may not (C-44)', async () => {
  expect(linesOf('too-large-split-loop').some(({ text }) => text === 'b~ TimeoutException')).toBe(true)
  stage = await Stage.open({ 'linger.ms': 200, 'delivery.timeout.ms': 1000, 'request.timeout.ms': 500 }, small)
  const [b, c] = await Promise.all([stage.send('b', { bytes: 2000 }), stage.send('c')])
  expect(b.error).toMatchObject({ name: 'RecordTooLargeError' })
  expect(c.metadata).toMatchObject({ offset: 1 })
  expect(stage.producer.metrics()['batch-split-total']).toBe(2)
})

test('what is above max.request.size or buffer.memory by the upper estimate, value + 86, is refused before it is queued (C-23)', async () => {
  stage = await Stage.open({}, { warm: false })
  for (const config of [{ 'max.request.size': 1000 }, { 'buffer.memory': 1000, 'batch.size': 100 }] as const) {
    const producer = stage.another({ 'linger.ms': 0, ...config })
    await stage.send('', { bytes: 914 }, producer)
    await stage.send('', { bytes: 915 }, producer)
    await stage.send('', { bytes: 2000 }, producer)
    await producer.close()
  }
  // Each of the two: one that goes, two that are refused; the scenario has only refusals and one that was sent.
  expect(stage.texts('ends').map(text => text.split(' ')[1])).toEqual([
    'ok',
    'RecordTooLargeException',
    'RecordTooLargeException',
    'ok',
    'RecordTooLargeException',
    'RecordTooLargeException',
  ])
  expect(linesOf('too-large-local').filter(({ text }) => text === '~ RecordTooLargeException')).toHaveLength(4)
})

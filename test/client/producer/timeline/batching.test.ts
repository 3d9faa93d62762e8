import { afterEach, expect, test } from 'vitest'
import { produce } from '../../../../src/apis/produce.ts'
import { producedBatch } from '../../../../src/wire/records.ts'
import { linesOf, Stage, traceOf } from './stage.ts'

let stage: Stage
afterEach(() => stage?.close())

test('records linger for company, and when the oldest has waited, all batches of its broker go in one request (C-32, C-33)', async () => {
  stage = await Stage.open({ 'linger.ms': 200 }, { partitions: 3, warm: false })
  await stage.send('warm', { partition: 2 })
  stage.writing.begin()
  const sends = [stage.send('a')]
  await stage.until(1)
  sends.push(stage.send('b', { partition: 1 }))
  await stage.until(102)
  sends.push(stage.send('c'))
  await stage.until(155)
  sends.push(stage.send('d', { partition: 2 }))
  await Promise.all(sends)
  stage.asInKafka('linger', { kinds: ['Produce'] })
  expect(stage.times('> Produce')).toEqual([200])
  // In the order of the answer, which is that of the partitions, not that of the sends.
  expect(stage.texts('ends')).toEqual([
    'b ok t-1 offset 0',
    'd ok t-2 offset 1',
    'a ok t-0 offset 0',
    'c ok t-0 offset 1',
  ])
})

test('with linger.ms=0 what is sent in one breath still shares a batch (C-32)', async () => {
  stage = await Stage.open()
  await Promise.all(Array.from({ length: 40 }, (_, i) => stage.send(`r${i}`)))
  // The scenario names the first twelve.
  expect(stage.texts('Produce').map(text => text.replace(/( r\d+){28}\]/, ' ...]'))).toEqual([
    '> Produce acks=-1 t-0 epoch=0 seq=1 n=40 [r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11 ...]',
    '< Produce t-0 NONE base=1',
  ])
  expect(traceOf('linger-0')[0]).toContain('n=40 [r0 r1 r2 r3 r4')
})

test('a batch is full when the next record does not fit: it goes at once, the other lingers from its own beginning (C-30, C-32)', async () => {
  stage = await Stage.open({ 'batch.size': 200, 'linger.ms': 2000 }, { warm: false })
  const warm = stage.send('warm')
  await stage.producer.flush()
  await warm
  stage.writing.begin()
  const sends: Promise<unknown>[] = []
  for (let i = 0; i < 5; i++) {
    await stage.until(2 + 61 * i)
    sends.push(stage.send(`r${i}`, { bytes: 60 }))
  }
  await Promise.all(sends)
  stage.asInKafka('batch-full')
  expect(stage.times('> Produce')).toEqual([124, 246, 2246])
})

test('a record larger than batch.size has a batch of its own, which lingers like any other until a second is opened (C-30, C-32)', async () => {
  stage = await Stage.open({ 'batch.size': 1000, 'linger.ms': 1500 }, { warm: false })
  const warm = stage.send('warm')
  await stage.producer.flush()
  await warm
  stage.writing.begin()
  const sends = [stage.send('', { bytes: 1200 })]
  await stage.until(302)
  sends.push(stage.send('small', { bytes: 100 }))
  await Promise.all(sends)
  stage.asInKafka('batch-exact')
  expect(stage.times('> Produce')).toEqual([302, 1802])
})

test('once one partition is ready, the young batches of the same broker go with it (C-33)', async () => {
  stage = await Stage.open({ 'batch.size': 200, 'linger.ms': 5000, 'delivery.timeout.ms': 60_000 }, { warm: false })
  const warm = stage.send('warm')
  await stage.producer.flush()
  await warm
  stage.writing.begin()
  const young = stage.send('young', { partition: 1 })
  await stage.until(51)
  const first = stage.send('a', { bytes: 100 })
  void stage.send('b', { bytes: 100 })
  await Promise.all([young, first])
  stage.asInKafka('drain-neighbours')
})

test('what does not fit under max.request.size goes with the next request, at once (C-33)', async () => {
  stage = await Stage.open({ 'max.request.size': 700, 'linger.ms': 100 }, { partitions: 3 })
  await Promise.all([0, 1, 2].map(partition => stage.send(`p${partition}`, { partition, bytes: 300 })))
  // Which partition comes next, its turn decides.
  const theirs = linesOf('max-request-size').map(({ text }) => text)
  expect(stage.texts('Produce', 'ends').sort()).toEqual(theirs.sort())
  expect(stage.times('> Produce')).toEqual([100, 100, 100])
})

/** How many records each batch that was sent had, as the scenarios say it: `7x8 4x1`. */
function counted(): { read(): string } {
  const counts: number[] = []
  stage.proxy.on(produce, (body, { version }) => {
    for (const { partitionData } of body.topicData) {
      for (const { records } of partitionData) counts.push(producedBatch(records, version).count)
    }
    return undefined
  })
  return {
    read() {
      const sizes = new Map<number, number>()
      for (const count of counts.splice(0)) sizes.set(count, (sizes.get(count) ?? 0) + 1)
      return [...sizes].map(([count, times]) => `${count}x${times}`).join(' ')
    },
  }
}

const equalBytes = { topic: 't', partition: 0, value: 'x'.repeat(200) }
const compressed = { 'compression.type': 'gzip', 'batch.size': 1000, 'linger.ms': 10_000 } as const

test('a topic is estimated to compress better by 0.005 for every batch that did: batches slowly hold more (C-30)', async () => {
  stage = await Stage.open(compressed, { warm: false })
  const batches = counted()
  const rounds: string[] = []
  for (let round = 1; round <= 12; round++) {
    for (let i = 0; i < 60; i++) void stage.producer.send(equalBytes)
    await stage.producer.flush()
    rounds.push(`round ${round}: ${batches.read()}`)
  }
  const theirs = traceOf('compression-paced')
  expect(rounds).toEqual(theirs.map(line => line.replace(/^\d+ -- /, '')))
})

test('batches that are filled before the first one is closed all count with ratio 1 (C-30)', async () => {
  stage = await Stage.open({ ...compressed, 'buffer.memory': 1_000_000 }, { warm: false })
  await stage.producer.partitionsFor('t')
  const batches = counted()
  for (let i = 0; i < 600; i++) void stage.producer.send(equalBytes)
  await stage.producer.flush()
  expect(traceOf('compression-estimate')[0]).toContain(`: ${batches.read()} (`)
  const rate = stage.producer.metrics()['compression-rate-avg']!
  expect(Math.abs(rate - 0.057)).toBeLessThan(0.01)
})

test('one tiny record that compresses badly spoils the estimate: batches hold half of what they could (C-30)', async () => {
  stage = await Stage.open(compressed, { warm: false })
  void stage.producer.send({ ...equalBytes, value: 'tiny' })
  await stage.producer.flush()
  const batches = counted()
  for (let i = 0; i < 600; i++) void stage.producer.send(equalBytes)
  await stage.producer.flush()
  expect(traceOf('compression-estimate-poisoned')[0]).toContain(`: ${batches.read()} (`)
})

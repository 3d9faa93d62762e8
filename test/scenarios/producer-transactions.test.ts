import { expect } from 'vitest'
import { clientStory } from './client-story.ts'

clientStory(
  'what is committed is read, what is aborted is not, and is in the log all the same (C-59, X-23)',
  async place => {
    const [topic, other] = [await place.topic(), await place.topic({ partitions: 2 })]
    const producer = place.producer({ 'transactional.id': place.name('id') })
    await producer.initTransactions()
    for (const [value, end] of [
      ['a', 'commitTransaction'],
      ['b', 'abortTransaction'],
      ['c', 'commitTransaction'],
    ] as const) {
      await producer.beginTransaction()
      await producer.send({ topic, value })
      await producer.send({ topic: other, partition: 1, value })
      await producer[end]()
    }
    for (const each of [topic, other]) {
      await place.eventually('both are seen', async () => (await place.values(each, 'read_committed')).join() === 'a,c')
      expect(await place.values(each)).toEqual(['a', 'b', 'c'])
    }
  },
)

clientStory('what has not been sent when a transaction is aborted never is (C-59)', async place => {
  const topic = await place.topic()
  const producer = place.producer({ 'transactional.id': place.name('id'), 'linger.ms': 60_000 })
  await producer.initTransactions()
  await producer.beginTransaction()
  await producer.partitionsFor(topic)
  const sent = producer.send({ topic, value: 'a' }).catch(error => error)
  await producer.abortTransaction()
  expect(await sent).toMatchObject({ name: 'TransactionAbortedError' })
  expect(await place.values(topic)).toEqual([])
})

clientStory(
  'a second producer with the id fences the first, whose transaction is aborted (X-19, T-14, C-54)',
  async place => {
    const topic = await place.topic()
    const id = { 'transactional.id': place.name('id') }
    const [zombie, next] = [place.producer(id), place.producer(id)]
    await zombie.initTransactions()
    await zombie.beginTransaction()
    await zombie.send({ topic, value: 'zombie' })
    await next.initTransactions()
    await expect(zombie.commitTransaction()).rejects.toMatchObject({ errorName: 'PRODUCER_FENCED', fatal: true })
    await expect(zombie.beginTransaction()).rejects.toMatchObject({ errorName: 'PRODUCER_FENCED' })
    await next.beginTransaction()
    await next.send({ topic, value: 'next' })
    await next.commitTransaction()
    await place.eventually('it is seen', async () => (await place.values(topic, 'read_committed')).join() === 'next')
  },
)

clientStory('offsets go with the transaction: kept when it commits, not when it aborts (T-31, T-36)', async place => {
  const [source, target] = [await place.topic(), await place.topic()]
  await place.producer().send({ topic: source, value: 'in' })
  const consumer = place.consumer({ 'group.id': place.name('group') })
  consumer.subscribe([source])
  await place.eventually('it has read', async () => (await consumer.poll({ timeoutMs: 100 })).length > 0)
  const producer = place.producer({ 'transactional.id': place.name('id') })
  await producer.initTransactions()
  const where = { topic: source, partition: 0 }
  const committed = async () => [...(await consumer.committed([where])).values()][0]?.offset
  for (const [end, offset] of [
    ['abortTransaction', undefined],
    ['commitTransaction', 1],
  ] as const) {
    await producer.beginTransaction()
    await producer.send({ topic: target, value: end })
    await producer.sendOffsetsToTransaction([{ ...where, offset: 1 }], consumer.groupMetadata())
    await producer[end]()
    expect(await committed()).toBe(offset)
  }
  const seen = async () => (await place.values(target, 'read_committed')).join()
  await place.eventually('it is seen', async () => (await seen()) === 'commitTransaction')
})

clientStory(
  'readers of what is committed wait for an open transaction; others do not (X-22, F-8, F-9)',
  async place => {
    const topic = await place.topic()
    const plain = place.producer()
    const producer = place.producer({ 'transactional.id': place.name('id') })
    await producer.initTransactions()
    await producer.beginTransaction()
    await producer.send({ topic, value: 'open' })
    await plain.send({ topic, value: 'plain' })
    expect(await place.values(topic, 'read_committed')).toEqual([])
    expect(await place.values(topic)).toEqual(['open', 'plain'])
    await producer.commitTransaction()
    const seen = async () => (await place.values(topic, 'read_committed')).join()
    await place.eventually('both are seen', async () => (await seen()) === 'open,plain')
  },
)

clientStory('calls out of turn are refused, and nothing else comes of them (C-26, C-57)', async place => {
  const topic = await place.topic()
  const producer = place.producer({ 'transactional.id': place.name('id') })
  await expect(producer.beginTransaction()).rejects.toMatchObject({ name: 'IllegalStateError' })
  await producer.initTransactions()
  await expect(producer.send({ topic, value: 'x' })).rejects.toMatchObject({ name: 'IllegalStateError' })
  await expect(producer.commitTransaction()).rejects.toMatchObject({ name: 'IllegalStateError' })
  await producer.beginTransaction()
  await producer.send({ topic, value: 'a' })
  await producer.commitTransaction()
  expect(await place.values(topic)).toEqual(['a'])
})

clientStory('a record that is refused spoils its transaction: it can only be aborted (C-56)', async place => {
  const topic = await place.topic({ configs: { 'max.message.bytes': 1_000 } })
  const producer = place.producer({ 'transactional.id': place.name('id') })
  await producer.initTransactions()
  await producer.beginTransaction()
  await expect(producer.send({ topic, value: 'x'.repeat(2_000) })).rejects.toMatchObject({
    name: 'RecordTooLargeError',
  })
  await expect(producer.commitTransaction()).rejects.toMatchObject({ name: 'ClientError' })
  await producer.abortTransaction()
  await producer.beginTransaction()
  await producer.send({ topic, value: 'a' })
  await producer.commitTransaction()
  expect(await place.values(topic)).toEqual(['a'])
})

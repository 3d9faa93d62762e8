import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { produce } from '../../src/apis/produce.ts'
import { RequestJournal } from '../../src/cluster/request-journal.ts'
import { createCluster, cut, Fetch, Metadata, Produce } from '../../src/index.ts'
import { ANONYMOUS } from '../../src/wire/principal.ts'

test('the journal has what clients asked, in order, with bodies, answers and who it was', async () => {
  await using cluster = await createCluster({ topics: { orders: { replicationFactor: 3 } } })
  await cluster.producer({ 'client.id': 'shop', acks: 'all' }).send({ topic: 'orders', value: 'paid' })

  const leader = cluster.leaderOf('orders', 0)
  const [produced, ...others] = cluster.requests({ api: Produce })
  expect(others).toEqual([])
  expect(produced).toMatchObject({
    api: 'Produce',
    clientId: 'shop',
    from: 'producer-1',
    to: leader.name,
    fromBroker: false,
    outcome: 'answered',
    errors: [],
  })
  expect(produced!.body.acks).toBe(-1)
  expect(produced!.answer?.responses[0]?.partitionResponses[0]?.baseOffset).toBe(0)
  expect(produced!.answeredAt).toBeGreaterThanOrEqual(produced!.at)

  const client = cluster.requests({ from: 'clients', clientId: 'shop' })
  expect(client.map(request => request.number)).toEqual(client.map(request => request.number).sort((a, b) => a - b))
  expect(client.at(-1)?.api).toBe('Produce')
})

test('requests can be asked for by sender, receiver, topic and partition', async () => {
  await using cluster = await createCluster({ topics: { orders: { partitions: 2 }, bills: {} } })
  const producer = cluster.producer()
  await producer.send({ topic: 'orders', partition: 1, value: 'paid' })
  await producer.send({ topic: 'bills', value: 'sent' })
  const leader = cluster.leaderOf('orders', 1)

  expect(cluster.requests({ api: Produce })).toHaveLength(2)
  expect(cluster.requests({ api: Produce, topic: 'orders' })).toHaveLength(1)
  expect(cluster.requests({ api: Produce, topic: 'orders', partition: 1, to: leader })).toHaveLength(1)
  expect(cluster.requests({ api: Produce, topic: 'orders', partition: 0 })).toHaveLength(0)
  expect(cluster.requests({ api: 'Produce', from: 'producer-1' })).toHaveLength(2)
  expect(cluster.requests({ api: Produce, from: 'brokers' })).toHaveLength(0)
  expect(cluster.requests({ api: Fetch, from: 'brokers' }).every(request => request.fromBroker)).toBe(true)
})

test('errors of an answer are named, wherever they stand in it', async () => {
  const configs = { 'auto.create.topics.enable': false }
  await using cluster = await createCluster({ configs, topics: { orders: {} } })
  const sent = cluster.producer({ 'max.block.ms': 500 }).send({ topic: 'nowhere', value: 'x' })
  await expect(sent).rejects.toThrow(/not present in metadata/)

  const asked = cluster.requests({ api: Metadata, from: 'producer-1' }).filter(each => each.errors.length > 0)
  expect(asked.length).toBeGreaterThan(0)
  expect(new Set(asked.flatMap(request => request.errors))).toEqual(new Set(['UNKNOWN_TOPIC_OR_PARTITION']))
})

test('a request without an answer is pending, unanswered by its nature (acks=0), or was cut off', async () => {
  await using cluster = await createCluster({ topics: { orders: { replicationFactor: 3 } } })
  await cluster.producer({ acks: 0 }).send({ topic: 'orders', value: 'who cares' })
  await cluster.runUntil(() => cluster.requests({ api: Produce }).length === 1)
  expect(cluster.requests({ api: Produce }).map(request => request.outcome)).toEqual(['unanswered'])

  const leader = cluster.leaderOf('orders', 0)
  for (const follower of cluster.followersOf('orders', 0)) cluster.network.rule(cut(leader, follower))
  const sent = cluster.producer({ acks: 'all', 'delivery.timeout.ms': 30_100 }).send({ topic: 'orders', value: 'paid' })
  await cluster.runUntil(() => cluster.requests({ api: Produce }).length === 2)
  expect(cluster.requests({ api: Produce, outcome: 'pending' })).toHaveLength(1)
  await leader.crash()
  expect(cluster.requests({ api: Produce, outcome: 'pending' })).toEqual([])
  expect(cluster.requests({ api: Produce }).map(request => request.outcome)).toContain('disconnected')
  await cluster.heal()
  await sent
})

test('what the journal pushes out, for the 64 MiB that it keeps, is let go of at once', async () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const journal = new RequestJournal()
  const bodies: WeakRef<object>[] = []
  const receive = () => {
    const body = { acks: -1, topicData: [], timeoutMs: 0 }
    bodies.push(new WeakRef(body))
    const asked = {
      api: produce,
      version: 11,
      clientId: null,
      from: 'shop',
      to: 'broker-1',
      peer: undefined,
      principal: ANONYMOUS,
      at: 0,
      body,
    }
    const request = { ...asked, outcome: 'pending' as const, answer: undefined, answeredAt: undefined }
    journal.received(request, 1024 * 1024)
    journal.ended(request, 0)
  }
  for (let i = 0; i < 100; i++) receive()
  // A weak reference holds until the task ends in which it was made.
  await new Promise(resolve => setImmediate(resolve))
  collect()
  expect(bodies.filter(body => body.deref() !== undefined)).toHaveLength(64)
  expect(journal.requests({}, undefined)).toHaveLength(64)
})

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isDelivered } from '../../src/cluster/matchers/delivery.ts'
import type { BytesRecord } from '../../src/cluster/topic-handle.ts'
import { type Cluster, createCluster, cut, Produce } from '../../src/index.ts'
import '../../src/vitest.ts'

const one = { orders: { partitions: 1, replicationFactor: 3 } }
const two = { orders: { partitions: 2, replicationFactor: 1 } }

async function failure(run: () => Promise<unknown>): Promise<string> {
  try {
    await run()
  } catch (error) {
    return (error as Error).message
  }
  return 'it passed'
}

async function withOrders(values: readonly string[]): Promise<Cluster> {
  const cluster = await createCluster({ topics: one })
  const producer = cluster.producer({ acks: 'all' })
  for (const value of values) await producer.send({ topic: 'orders', key: `key of ${value}`, value, timestamp: 5 })
  return cluster
}

test('an acknowledged record survives the loss of its leader', async () => {
  await using cluster = await createCluster({
    topics: { orders: { partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } },
  })
  const { offset } = await cluster.producer({ acks: 'all' }).send({ topic: 'orders', key: 'ORDER-1001', value: 'paid' })
  await cluster.leaderOf('orders', 0).crash()

  await expect(cluster).toHaveDelivered('orders', [{ partition: 0, offset, key: 'ORDER-1001', value: 'paid' }])
})

test('it waits until the records are there', async () => {
  await using cluster = await createCluster({ topics: one })
  const sent = cluster.producer({ 'linger.ms': 1_000 }).send({ topic: 'orders', value: 'later' })

  await expect(cluster).toHaveDelivered('orders', [{ value: 'later' }])
  await sent
})

test('fields that are left out are not compared; offsets may be text or bigint; values JSON, bytes or text', async () => {
  await using cluster = await createCluster({ topics: one })
  const producer = cluster.producer({ 'value.serializer': 'json' })
  await producer.send({ topic: 'orders', key: 'ä', value: { total: 5, items: ['a'] }, timestamp: 77 })
  await cluster.producer().send({ topic: 'orders', key: null, value: null, headers: { trace: '1', user: 'x' } })

  await expect(cluster).toHaveDelivered('orders', [{}, {}])
  await expect(cluster).toHaveDelivered('orders', [
    {
      topic: 'orders',
      partition: '0',
      offset: 0n,
      timestamp: new Date(77),
      key: 'ä',
      value: { total: 5, items: ['a'] },
    },
    { partition: 0, offset: '1', key: null, value: null, headers: { user: 'x', trace: '1' } },
  ])
  await expect(cluster).toHaveDelivered('orders', [
    { key: Buffer.from('ä'), value: '{"total":5,"items":["a"]}', headers: {} },
    { headers: [['trace', '1'], { key: 'user', value: Buffer.from('x') }] },
  ])
  await expect(cluster).not.toHaveDelivered('orders', [{ value: { total: 5 } }, {}])
  await expect(cluster).not.toHaveDelivered('orders', [{}, { headers: { trace: '1' } }])
})

test('asymmetric matchers are about the text, the object or the bytes', async () => {
  await using cluster = await createCluster({ topics: one })
  await cluster.producer().send({ topic: 'orders', key: 'ORDER-1', value: '{"total":5,"at":"noon"}' })

  const matching = [
    { offset: expect.any(Number), key: expect.stringMatching(/^ORDER-\d+$/) },
    { key: expect.any(Uint8Array), value: expect.objectContaining({ total: 5 }) },
    { value: { total: expect.any(Number), at: expect.stringContaining('oo') } },
    { value: expect.stringContaining('"total":5'), headers: expect.objectContaining({}) },
    { value: expect.not.stringContaining('midnight'), timestamp: expect.anything() },
  ]
  for (const record of matching) await expect(cluster).toHaveDelivered('orders', [record])
  const contrary = [
    { key: expect.not.stringContaining('ORDER') },
    { value: expect.not.objectContaining({ total: 5 }) },
    { value: expect.objectContaining({ total: 6 }) },
  ]
  for (const record of contrary) await expect(cluster).not.toHaveDelivered('orders', [record])
})

test('records that name no partition may be in any, but keep their order in each', async () => {
  await using cluster = await createCluster({ topics: two })
  const producer = cluster.producer()
  for (const [partition, value] of [
    [0, 'a'],
    [1, 'b'],
    [0, 'c'],
  ] as const) {
    await producer.send({ topic: 'orders', partition, value })
  }
  await expect(cluster).toHaveDelivered('orders', [{ value: 'b' }, { value: 'a' }, { value: 'c' }])
  await expect(cluster).toHaveDelivered('orders', [{ partition: 1 }, { partition: 0 }, { partition: 0, value: 'c' }])
  await expect(cluster).not.toHaveDelivered('orders', [{ value: 'c' }, { value: 'a' }, { value: 'b' }])
})

test('nothing was delivered: [] looks when everything has settled, not before', async () => {
  await using cluster = await createCluster({ topics: one })
  await expect(cluster).toHaveDelivered('orders', [])

  const sent = cluster.producer({ 'linger.ms': 500 }).send({ topic: 'orders', value: 'on its way' })
  const message = await failure(() => expect(cluster).toHaveDelivered('orders', []))
  expect(message.split('\n')[0]).toBe("expected 'orders' to have delivered no record (read_committed), it has 1")
  await sent
})

test('.not looks when everything has settled, and does not wait for what cannot', async () => {
  await using cluster = await createCluster({ topics: one })
  const leader = cluster.leaderOf('orders', 0)
  for (const follower of cluster.followersOf('orders', 0)) cluster.network.rule(cut(leader, follower))
  const before = cluster.clock.now()
  const sent = cluster.producer({ acks: 'all' }).send({ topic: 'orders', value: 'nobody else has it' })

  await expect(cluster).not.toHaveDelivered('orders', [{ value: 'nobody else has it' }])
  expect(cluster.clock.now() - before).toBeLessThanOrEqual(5_000)
  await cluster.heal()
  await sent
  await expect(cluster).toHaveDelivered('orders', [{ value: 'nobody else has it' }])
})

test('a failure says which record is missing, which is there instead, and in which field they differ', async () => {
  await using cluster = await withOrders(['a', 'b', 'x', 'd'])
  const expected = ['a', 'b', 'c', 'd'].map(value => ({ value }))
  const message = await failure(() => expect(cluster).toHaveDelivered('orders', expected, { timeoutMs: 100 }))

  const [head, , ...rest] = message.split('\n')
  expect(head).toBe(
    "expected 'orders' to have delivered exactly 4 records within 100 ms of virtual time (read_committed), it has 4",
  )
  expect(rest.slice(0, 8)).toEqual([
    'orders-0  (- expected, + delivered)',
    "    offset 0  key 'key of a'  value 'a'",
    "    offset 1  key 'key of b'  value 'b'",
    "  - value 'c'",
    "  + offset 2  key 'key of x'  value 'x'",
    "      value: expected 'c', delivered 'x'",
    "    offset 3  key 'key of d'  value 'd'",
    '',
  ])
  expect(rest[8]).toMatch(
    /^orders-0: leader broker-\d \(epoch 0\), start 0, last stable offset 4, high watermark 4, end 4/,
  )
})

test('what is missing of a key moves past no record of that key that is as expected', async () => {
  await using cluster = await createCluster({ topics: one })
  const producer = cluster.producer()
  for (const value of ['2', '3', '9']) await producer.send({ topic: 'orders', key: 'a', value })
  const expected = ['1', '2', '3'].map(value => ({ key: 'a', value }))
  const message = await failure(() => expect(cluster).toHaveDelivered('orders', expected, { timeoutMs: 100 }))

  expect(message.split('\n').slice(3, 7)).toEqual([
    "  - key 'a'  value '1'",
    "    offset 0  key 'a'  value '2'",
    "    offset 1  key 'a'  value '3'",
    "  + offset 2  key 'a'  value '9'",
  ])
})

test('a failure tells what happened to the partition last: appends, elections, faults', async () => {
  await using cluster = await withOrders(['a'])
  cluster.failNext(Produce, { error: 'NOT_ENOUGH_REPLICAS' })
  await cluster.producer().send({ topic: 'orders', value: 'b' })
  const leader = cluster.leaderOf('orders', 0)
  await leader.crash()
  const message = await failure(() => expect(cluster).toHaveDelivered('orders', [{ value: 'a' }]))

  expect(message).toContain('what happened to orders-0 last:')
  const told = message.slice(message.indexOf('what happened')).split('\n').slice(1)
  expect(told.some(line => /controller +election +partition=orders-0/.test(line))).toBe(true)
  expect(
    told.some(line => line.includes('fault') && line.includes("failNext(Produce, { error: 'NOT_ENOUGH_REPLICAS' })")),
  ).toBe(true)
  expect(told.some(line => line.includes(`${leader.name}     node           crash`))).toBe(true)
  expect(told.some(line => /append +orders-0 base=1 last=1/.test(line))).toBe(true)
  expect(told.every(line => !line.includes('replicated='))).toBe(true)
})

test('a failure says what is in the log and was not delivered, and why', async () => {
  await using cluster = await createCluster({ topics: one })
  const leader = cluster.leaderOf('orders', 0)
  for (const follower of cluster.followersOf('orders', 0)) cluster.network.rule(cut(leader, follower))
  await cluster.producer({ acks: 1 }).send({ topic: 'orders', value: 'alone' })
  const message = await failure(() =>
    expect(cluster).toHaveDelivered('orders', [{ value: 'alone' }], { timeoutMs: 50 }),
  )

  expect(message).toContain('not delivered: offset 0, at or above the high watermark (not on every in-sync replica)')
})

test('of many records only those around the difference are shown', async () => {
  const values = Array.from({ length: 30 }, (_, index) => `${index}`)
  await using cluster = await withOrders(values)
  const expected = values.map(value => ({ value: value === '15' ? 'fifteen' : value }))
  const message = await failure(() => expect(cluster).toHaveDelivered('orders', expected, { timeoutMs: 50 }))

  expect(message).toContain('    … 13 as expected\n')
  expect(message).toContain("  - value 'fifteen'\n  + offset 15")
  expect(message).toContain('    … 12 as expected\n')
})

test('a field that no record has is refused: it would never be compared', async () => {
  await using cluster = await createCluster({ topics: one })
  // biome-ignore lint/suspicious/noExplicitAny: what a test without types would write
  const record: any = { vlaue: 'x' }
  await expect(() => expect(cluster).toHaveDelivered('orders', [record])).rejects.toThrow(
    "unknown field 'vlaue' of an expected record: did you mean 'value'?",
  )
  await expect(() => expect(cluster).toHaveDelivered('order', [])).rejects.toThrow(/did you mean 'orders'/)
  await expect(() => expect(cluster).not.toHaveDelivered('order', [])).rejects.toThrow(/did you mean 'orders'/)
  await expect(() => expect({}).toHaveDelivered('orders', [])).rejects.toThrow('toHaveDelivered is about a cluster')
})

test('records of any interleaving are recognised, and others are not', () => {
  const text = new TextEncoder()
  const recordsOf = (partitions: readonly (readonly string[])[]): BytesRecord[] =>
    partitions.flatMap((values, partition) =>
      values.map((value, offset) => ({
        partition,
        offset,
        timestamp: 0,
        key: null,
        value: text.encode(value),
        headers: [],
      })),
    )
  const letters = fc.array(fc.array(fc.constantFrom('a', 'b'), { maxLength: 5 }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(letters, fc.infiniteStream(fc.nat(3)), (partitions, picks) => {
      const left = partitions.map(values => [...values])
      const expected: { value: string }[] = []
      while (left.some(values => values.length > 0)) {
        const from = left[picks.next().value! % left.length]!
        const value = from.length > 0 ? from.shift() : left.find(values => values.length > 0)!.shift()
        expected.push({ value: value! })
      }
      const actual = recordsOf(partitions)
      expect(isDelivered(expected, actual)).toBe(true)
      expect(isDelivered([...expected, { value: 'a' }], actual)).toBe(false)
      if (expected.length > 0) expect(isDelivered([...expected.slice(1), { value: 'c' }], actual)).toBe(false)
    }),
  )
})

test('on real time a matcher waits for real, and says so', async () => {
  await using cluster = await createCluster({ brokers: 1, time: 'real', topics: { orders: {} } })
  await expect(cluster).toHaveDelivered('orders', [])
  const sent = cluster.producer({ 'linger.ms': 50 }).send({ topic: 'orders', value: 'paid' })
  await expect(cluster).toHaveDelivered('orders', [{ value: 'paid' }])
  await sent

  const message = await failure(() => expect(cluster).toHaveDelivered('orders', [{ value: 'no' }], { timeoutMs: 50 }))
  expect(message).toContain('within 50 ms of real time')
})

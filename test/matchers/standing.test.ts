import { expect, test } from 'vitest'
import { createCluster, cut, Metadata, Produce } from '../../src/index.ts'
import '../../src/vitest.ts'

const orders = { orders: { partitions: 1, replicationFactor: 3 } }

async function failure(run: () => Promise<unknown>): Promise<string> {
  try {
    await run()
  } catch (error) {
    return (error as Error).message
  }
  return 'it passed'
}

test('offsets of a partition, and of each of its replicas, are waited for', async () => {
  await using cluster = await createCluster({ topics: orders })
  await cluster.producer({ acks: 1 }).send({ topic: 'orders', value: 'paid' })

  await expect(cluster).toHaveOffsets('orders', 0, {
    startOffset: 0,
    endOffset: 1n,
    highWatermark: '1',
    lastStableOffset: expect.any(Number),
    replicas: { 1: { endOffset: 1, highWatermark: 1 }, 2: { endOffset: 1 }, 3: {} },
  })
  await expect(cluster).not.toHaveOffsets('orders', 0, { endOffset: 2 })
})

test('a failure lists every bound that differs, with the bounds of all replicas', async () => {
  await using cluster = await createCluster({ topics: orders })
  const expected = { endOffset: 3, startOffset: 0, replicas: { 2: { highWatermark: 1 } } }
  const message = await failure(() => expect(cluster).toHaveOffsets('orders', 0, expected, { timeoutMs: 20 }))

  expect(message.split('\n').slice(0, 5)).toEqual([
    'expected offsets of orders-0 within 20 ms of virtual time:',
    '  leader endOffset: expected 3, is 0',
    '  broker-2 highWatermark: expected 1, is 0',
    '',
    '  broker-1: startOffset 0, endOffset 0, highWatermark 0, lastStableOffset 0',
  ])
})

test('a misspelt bound, and a broker without a replica, are refused', async () => {
  await using cluster = await createCluster({ topics: { orders: { assignments: [[1, 2]] } } })
  // biome-ignore lint/suspicious/noExplicitAny: what a test without types would write
  const misspelt: any = { highWaterMarks: 1 }
  await expect(() => expect(cluster).toHaveOffsets('orders', 0, misspelt)).rejects.toThrow(
    "unknown field of toHaveOffsets 'highWaterMarks': did you mean 'highWatermark'?",
  )
  await expect(() => expect(cluster).toHaveOffsets('orders', 0, { replicas: { 3: {} } })).rejects.toThrow(
    'broker-3 has no replica of orders-0',
  )
})

test('a follower that is cut off leaves the in-sync set, and comes back (R-20, R-21)', async () => {
  await using cluster = await createCluster({ topics: orders })
  await expect(cluster).toBeInSync('orders')
  const leader = cluster.leaderOf('orders', 0)
  const [lost, kept] = cluster.followersOf('orders', 0)
  const rule = cluster.network.rule(cut(leader, lost!))
  await cluster.producer({ acks: 1 }).send({ topic: 'orders', value: 'paid' })

  await expect(cluster).toBeInSync('orders', 0, [leader, kept!.id])
  await expect(cluster).not.toBeInSync('orders', 0)
  const message = await failure(() => expect(cluster).toBeInSync('orders', undefined, undefined, { timeoutMs: 10 }))
  expect(message).toContain("expected every partition of 'orders' to have all of its replicas in sync within 10 ms")
  expect(message).toContain(`  ${lost!.name} is not in sync: its log ends at 0`)
  rule.dispose()
  await expect(cluster).toBeInSync('orders')
})

test('a partition gets another leader when its own is lost', async () => {
  await using cluster = await createCluster({ topics: orders })
  const leader = cluster.leaderOf('orders', 0)
  await expect(cluster).toHaveLeader('orders', 0, leader)
  await leader.crash()

  await expect(cluster).not.toHaveLeader('orders', 0)
  await expect(cluster).toHaveLeader('orders', 0)
  await expect(cluster).not.toHaveLeader('orders', 0, leader.id)
  const message = await failure(() => expect(cluster).toHaveLeader('orders', 0, leader, { timeoutMs: 10 }))
  expect(message).toMatch(new RegExp(`^expected orders-0 to have ${leader.name} as its leader within 10 ms`))
  expect(message).toMatch(/controller +election +partition=orders-0/)
})

test('requests are recognised by a part of their body, or by a function, and counted', async () => {
  await using cluster = await createCluster({ topics: orders })
  await cluster.producer({ acks: 'all' }).send({ topic: 'orders', value: 'paid' })

  await expect(cluster).toHaveReceivedRequest(Produce)
  await expect(cluster).toHaveReceivedRequest('Produce', { acks: -1, topicData: [{ partitionData: [{ index: 0 }] }] })
  await expect(cluster).toHaveReceivedRequest(Produce, request => request.from === 'producer-1', { times: 1 })
  await expect(cluster).toHaveReceivedRequest(Produce, {}, { to: cluster.leaderOf('orders', 0), times: 1 })
  await expect(cluster).not.toHaveReceivedRequest(Produce, { acks: 1 })
  await expect(cluster).toHaveReceivedRequest(Produce, { acks: 0 }, { times: 0 })
  await expect(cluster).toHaveReceivedRequest(Metadata, { allowAutoTopicCreation: expect.any(Boolean) })
})

test('a failure lists the requests that there were', async () => {
  await using cluster = await createCluster({ topics: orders })
  await cluster.producer({ acks: 1 }).send({ topic: 'orders', value: 'paid' })
  const message = await failure(() => expect(cluster).toHaveReceivedRequest(Produce, { acks: -1 }, { timeoutMs: 10 }))

  const [head, , seen, line] = message.split('\n')
  expect(head).toBe(
    'expected the cluster to have received one or more Produce requests like {"acks":-1} within 10 ms of virtual time, there were 0',
  )
  expect(seen).toBe('received: 1 request of this API')
  expect(line).toMatch(/^ {4}#\d+ producer-1 → broker-\d Produce v13 \{"transactionalId":null,"acks":1,.*→ answered$/)
})

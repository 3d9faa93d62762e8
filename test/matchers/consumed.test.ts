import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Cluster, type Consumer, createCluster } from '../../src/index.ts'
import '../../src/vitest.ts'

let cluster: Cluster
beforeEach(async () => {
  cluster = await createCluster({
    topics: { orders: { partitions: 2, replicationFactor: 3 } },
    configs: { 'offsets.topic.num.partitions': 3 },
  })
})
afterEach(() => cluster.close())

async function write(partition: number, ...values: string[]): Promise<void> {
  const producer = cluster.producer({ acks: 'all' })
  for (const value of values) await producer.send({ topic: 'orders', partition, key: `key of ${value}`, value })
}

const commit = (partition: number, offset: number) =>
  cluster.admin().alterConsumerGroupOffsets('billing', [{ topic: 'orders', partition, offset }])

async function failure(run: () => Promise<unknown>): Promise<string> {
  try {
    await run()
  } catch (error) {
    return (error as Error).message
  }
  return 'it passed'
}

test('what lies below the committed offsets has been consumed, in order for each partition, and no more', async () => {
  await write(0, 'a', 'b', 'c')
  await write(1, 'x')
  await commit(0, 2)

  await expect(cluster).toHaveConsumed('billing', 'orders', [{ value: 'a' }, { value: 'b' }])
  await expect(cluster).not.toHaveConsumed('billing', 'orders', [{ value: 'a' }])
  await expect(cluster).not.toHaveConsumed('billing', 'orders', [{ value: 'b' }, { value: 'a' }])
  await expect(cluster).not.toHaveConsumed('billing', 'orders')
  await commit(1, 1)
  await expect(cluster).toHaveConsumed('billing', 'orders', [
    { partition: 0, offset: 0, key: 'key of a' },
    { partition: 1, value: 'x' },
    { partition: 0, value: expect.stringContaining('b') },
  ])
})

test('without a list it is every record that there is', async () => {
  await write(0, 'a', 'b')
  await write(1, 'x')
  await commit(0, 2)
  expect(
    await failure(() => expect(cluster).toHaveConsumed('billing', 'orders', undefined, { timeoutMs: 1_000 })),
  ).toContain("expected group 'billing' to have consumed every record of 'orders' within 1000 ms of virtual time")

  await commit(1, 1)
  await expect(cluster).toHaveConsumed('billing', 'orders')
})

test('it waits until the group has come so far: a record that failed once is consumed at the second attempt', async () => {
  const consumer: Consumer = cluster.consumer({
    'group.id': 'billing',
    'auto.offset.reset': 'earliest',
    'enable.auto.commit': false,
  })
  consumer.subscribe(['orders'])
  let failures = 1
  const bill = async () => {
    for await (const record of consumer) {
      if (failures-- > 0) {
        consumer.seek(record, record.offset)
        continue
      }
      await consumer.commit([{ topic: record.topic, partition: record.partition, offset: record.offset + 1 }])
    }
  }
  const working = bill()
  await write(0, 'a', 'b')

  await expect(cluster).toHaveConsumed('billing', 'orders', [{ value: 'a' }, { value: 'b' }])
  await consumer.close()
  await working
})

test('nothing consumed, and its contrary, let everything settle first', async () => {
  await write(0, 'a')
  await commit(0, 0)
  await expect(cluster).toHaveConsumed('billing', 'orders', [])

  await commit(0, 1)
  await expect(cluster).not.toHaveConsumed('billing', 'orders', [])
})

test('a failure shows the records, what was not consumed, and the committed offset against the log', async () => {
  await write(0, 'a', 'b', 'c', 'd', 'e')
  await commit(0, 1)
  const message = await failure(() =>
    expect(cluster).toHaveConsumed('billing', 'orders', [{ value: 'a' }, { value: 'b' }], { timeoutMs: 2_000 }),
  )

  expect(message.split('\n').slice(0, 17)).toEqual([
    "expected group 'billing' to have consumed exactly 2 records of 'orders' within 2000 ms of virtual time (read_committed), it has consumed 1",
    '',
    'in no partition',
    "  - value 'b'",
    '',
    'not consumed, at or above the committed offsets:',
    "  orders-0  offset 1  key 'key of b'  value 'b'",
    "  orders-0  offset 2  key 'key of c'  value 'c'",
    "  orders-0  offset 3  key 'key of d'  value 'd'",
    '  … and 1 more',
    '',
    `group 'billing' (classic): Empty, generation 0, coordinator ${cluster.coordinatorOf({ group: 'billing' }).name}`,
    '  no members',
    '  orders-0: committed 1 of 5, 4 records left, read by nobody',
    'what happened last:',
    expect.anything(),
    expect.anything(),
  ])
})

test('a failure of a list that names its partitions compares them side by side', async () => {
  await write(1, 'a', 'b')
  await commit(1, 2)
  const message = await failure(() =>
    expect(cluster).toHaveConsumed('billing', 'orders', [{ partition: 1, value: 'a' }], { timeoutMs: 500 }),
  )

  expect(message).toContain("orders-1  (- expected, + consumed)\n    offset 0  key 'key of a'  value 'a'\n  + offset 1")
})

test('a record that is missing stands beside the one of its key, whichever partition that is in', async () => {
  await write(0, 'a')
  await write(1, 'b', 'c')
  await commit(0, 1)
  await commit(1, 2)
  const expected = ['c', 'b', 'a'].map(value => ({ key: `key of ${value}`, value: value.toUpperCase() }))
  const message = await failure(() => expect(cluster).toHaveConsumed('billing', 'orders', expected, { timeoutMs: 500 }))

  expect(message.split('\n').slice(2, 14)).toEqual([
    'orders-0  (- expected, + consumed)',
    "  - key 'key of a'  value 'A'",
    "  + offset 0  key 'key of a'  value 'a'",
    "      value: expected 'A', consumed 'a'",
    '',
    'orders-1  (- expected, + consumed)',
    "  - key 'key of b'  value 'B'",
    "  + offset 0  key 'key of b'  value 'b'",
    "      value: expected 'B', consumed 'b'",
    "  - key 'key of c'  value 'C'",
    "  + offset 1  key 'key of c'  value 'c'",
    "      value: expected 'C', consumed 'c'",
  ])
})

test('a failure of the contrary shows what was consumed', async () => {
  await write(0, 'a')
  await commit(0, 1)
  expect(await failure(() => expect(cluster).not.toHaveConsumed('billing', 'orders', [{ value: 'a' }]))).toMatch(
    /^expected group 'billing' not to have consumed exactly these records:\n {2}orders-0 {2}offset 0 .* value 'a'/,
  )
  expect(await failure(() => expect(cluster).not.toHaveConsumed('billing', 'orders'))).toContain(
    "expected group 'billing' not to have consumed every record of 'orders':",
  )
  await commit(0, 0)
  expect(await failure(() => expect(cluster).not.toHaveConsumed('billing', 'orders', []))).toContain(
    "expected group 'billing' to have consumed something of 'orders', it has consumed nothing",
  )
})

test('a misspelt group agrees with nothing: not with a list, not with an empty one, not with a contrary', async () => {
  await write(0, 'a')
  await commit(0, 0)
  const unknown = "there is no group 'biling': did you mean 'billing'?"
  const orders = [{ value: 'a' }]
  expect(await failure(() => expect(cluster).toHaveConsumed('biling', 'orders', orders, { timeoutMs: 100 }))).toContain(
    unknown,
  )
  expect(await failure(() => expect(cluster).toHaveConsumed('biling', 'orders', []))).toContain(unknown)
  expect(await failure(() => expect(cluster).not.toHaveConsumed('biling', 'orders', orders))).toContain(unknown)
})

test('a misspelt topic, field or option is refused, with what was probably meant', async () => {
  expect(await failure(() => expect(cluster).toHaveConsumed('billing', 'order'))).toContain("did you mean 'orders'?")
  expect(await failure(() => expect(cluster).toHaveConsumed('billing', 'orders', [{ vlaue: 1 } as never]))).toContain(
    "unknown field 'vlaue' of an expected record: did you mean 'value'?",
  )
  expect(
    await failure(() => expect(cluster).toHaveConsumed('billing', 'orders', [], { timeout: 5 } as never)),
  ).toContain("unknown option of toHaveConsumed 'timeout': did you mean 'timeoutMs'?")
  expect(await failure(() => expect(cluster).toHaveConsumed('billing', 'orders', [], { exactly: true } as never))).toBe(
    "unknown option of toHaveConsumed 'exactly': there are isolation, timeoutMs",
  )
  expect(await failure(() => expect(cluster).toHaveConsumed('billing', [{ value: 'a' }] as never))).toContain(
    "toHaveConsumed takes a group and a topic: ('billing', 'orders')",
  )
  expect(await failure(() => expect(cluster).toHaveConsumed('billing', 'orders', { value: 'a' } as never))).toContain(
    'toHaveConsumed takes a list of records',
  )
})

test('while the coordinator is away nobody can say: the matcher waits for the next one', async () => {
  await write(0, 'a')
  await commit(0, 1)
  await cluster.coordinatorOf({ group: 'billing' }).crash()

  await expect(cluster).toHaveConsumed('billing', 'orders', [{ value: 'a' }])
})

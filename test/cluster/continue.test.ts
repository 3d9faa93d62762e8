/** One set of logs, handed to one cluster after the other: the next goes on where the one before was. */
import { afterEach, describe, expect, test } from 'vitest'
import { type Cluster, type ClusterOptions, createCluster, KafkaError, memoryLogs } from '../../src/index.ts'
import { errorCodes } from '../../src/wire/errors.ts'
import '../../src/vitest.ts'
import { append } from '../apis/asking.ts'
import { begin, end, initialize, transactionsOn, write } from '../apis/transacting.ts'

const topics = { orders: { partitions: 2, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } } }
const configs = { 'offsets.topic.num.partitions': 3, 'transaction.state.log.num.partitions': 3 }
let logs = memoryLogs()
const open: Cluster[] = []

async function start(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await createCluster({ topics, configs, logs, ...options })
  open.push(cluster)
  return cluster
}

/** As a process that is killed: every node is gone from one moment to the next. */
async function kill(cluster: Cluster): Promise<void> {
  for (const node of [cluster.controller, ...cluster.brokers]) if (node.isRunning) await node.crash()
  await cluster.close()
}

afterEach(async () => {
  for (const cluster of open.splice(0)) await cluster.close()
  logs = memoryLogs()
})

const endings = [
  ['was closed', (cluster: Cluster) => cluster.close()],
  ['was killed', kill],
  [
    'was stopped broker by broker',
    async (cluster: Cluster) => {
      for (const broker of cluster.brokers) await broker.stop()
      await cluster.close()
    },
  ],
] as const

describe.each(endings)('after the cluster before %s', (_, ends) => {
  test('records, offsets, topic ids, configurations and the id of the cluster are the same', async () => {
    const first = await start()
    const producer = first.producer({ acks: 'all' })
    for (const value of ['a', 'b', 'c']) await producer.send({ topic: 'orders', partition: 1, key: value, value })
    await first.createTopic({ name: 'late', partitions: 1, configs: { 'retention.ms': 5_000_000 } })
    const admin = first.admin()
    const [was, id] = [await admin.describeTopics(['orders', 'late']), (await admin.describeCluster()).clusterId]
    await ends(first)

    const second = await start({ seed: 5 })
    const is = await second.admin().describeTopics(['orders', 'late'])
    expect([...is.values()].map(each => [each.name, each.topicId, each.partitions.length])).toEqual(
      [...was.values()].map(each => [each.name, each.topicId, each.partitions.length]),
    )
    expect((await second.admin().describeCluster()).clusterId).toBe(id)
    const rows = await second.admin().describeConfigs([{ type: 'topic', name: 'late' }])
    expect([...rows.values()][0]?.get('retention.ms')?.value).toBe('5000000')
    await second.producer({ acks: 'all' }).send({ topic: 'orders', partition: 1, key: 'd', value: 'd' })
    await expect(second).toHaveDelivered('orders', [
      { partition: 1, offset: 0, key: 'a' },
      { partition: 1, offset: 1, key: 'b' },
      { partition: 1, offset: 2, key: 'c' },
      { partition: 1, offset: 3, key: 'd' },
    ])
  })

  test('a group goes on behind what it has committed', async () => {
    const first = await start()
    const producer = first.producer({ acks: 'all' })
    for (const value of ['a', 'b', 'c']) await producer.send({ topic: 'orders', partition: 0, value })
    const member = first.consumer({ 'group.id': 'billing', 'auto.offset.reset': 'earliest' })
    member.subscribe(['orders'])
    expect([...(await member.poll({ timeoutMs: 60_000 }))].map(({ value }) => String(value))).toEqual(['a', 'b', 'c'])
    await member.commit([{ topic: 'orders', partition: 0, offset: 2, metadata: 'so far' }])
    await ends(first)

    const second = await start()
    const offsets = await second.admin().listConsumerGroupOffsets('billing')
    expect(offsets).toMatchObject([{ topic: 'orders', partition: 0, offset: 2, metadata: 'so far' }])
    const next = second.consumer({ 'group.id': 'billing', 'auto.offset.reset': 'earliest' })
    next.subscribe(['orders'])
    const values: string[] = []
    while (values.length === 0) {
      for (const record of await next.poll({ timeoutMs: 60_000 })) values.push(String(record.value))
    }
    expect(values).toEqual(['c'])
  })

  test('leader epochs and broker epochs go on from where they were (R-43, R-50)', async () => {
    const first = await start()
    await first.leaderOf('orders', 0).crash()
    await first.heal()
    const before = first.partition('orders', 0).leaderEpoch
    const image = first.controller.controller!.image
    const epochs = first.brokers.map(({ id }) => image.broker(id)!.brokerEpoch)
    await ends(first)

    const second = await start()
    expect(second.partition('orders', 0).leaderEpoch).toBeGreaterThan(before)
    for (const [index, { id }] of second.brokers.entries()) {
      expect(second.controller.controller!.image.broker(id)!.brokerEpoch).toBeGreaterThan(Math.max(...epochs))
      expect(epochs[index]).toBeGreaterThanOrEqual(0)
    }
  })

  test('the leader knows the producers of before: a batch that comes once more is not stored again (I-4)', async () => {
    const first = await start()
    const now = first.clock.now()
    const producer = { producerId: 7, producerEpoch: 0 }
    expect(await append(first, 'orders', [now, now], { ...producer, baseSequence: 0 })).toBe(0)
    expect(await append(first, 'orders', [now], { ...producer, baseSequence: 2 })).toBe(2)
    await ends(first)

    const second = await start()
    expect(await append(second, 'orders', [now], { ...producer, baseSequence: 2 })).toBe(2)
    expect(second.partition('orders', 0).endOffset).toBe(3)
    await expect(append(second, 'orders', [now], { ...producer, baseSequence: 4 })).rejects.toThrow(
      KafkaError.of(errorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER).message,
    )
    expect(await append(second, 'orders', [now], { ...producer, baseSequence: 3 })).toBe(3)
  })

  test('producer ids are not given away twice (I-15)', async () => {
    const first = await start()
    await first.producer().send({ topic: 'orders', partition: 0, value: 'a' })
    await ends(first)
    const second = await start()
    await second.producer().send({ topic: 'orders', partition: 0, value: 'b' })
    const [states] = [...(await second.admin().describeProducers([{ topic: 'orders', partition: 0 }])).values()]
    expect(new Set(states?.map(({ producerId }) => producerId)).size).toBe(2)
  })

  test('an open transaction is still open, and its producer is fenced by the next one of that id (T-14)', async () => {
    const first = await start({ topics: { ...topics, ...transactionsOn(2, 1, 3) } })
    const producer = await begin(first, 'payments')
    await write(producer, ['orders', 0])
    await ends(first)

    const second = await start()
    await second.runUntil(() => second.partition('orders', 0).highWatermark > 0)
    expect(second.partition('orders', 0).lastStableOffset).toBe(0)
    await second.producer({ 'transactional.id': 'payments' }).initTransactions()
    expect(second.transaction('payments').producerId).toBe(producer.producerId)
    expect(second.transaction('payments').producerEpoch).toBeGreaterThan(producer.producerEpoch)
    await second.runUntil(() => second.partition('orders', 0).lastStableOffset === 2)
    await expect(second).toHaveDelivered('orders', [])
  })

  test('a transaction that nobody ends is aborted when its time is up', async () => {
    const first = await start({ topics: { ...topics, ...transactionsOn(2, 1, 3) } })
    await first.clock.advance(86_400_000)
    await write(await begin(first, 'payments', { timeoutMs: 30_000 }), ['orders', 0])
    await ends(first)

    const second = await start()
    await second.runUntil(() => second.partition('orders', 0).highWatermark > 0)
    await second.runUntil(() => second.partition('orders', 0).lastStableOffset === 2)
    await second.transaction('payments').waitFor('CompleteAbort')
  })
})

test('a transaction that was decided, and whose markers were not written, is completed', async () => {
  const first = await start({ topics: { ...topics, ...transactionsOn(2, 1, 3) } })
  const producer = await begin(first, 'payments')
  await write(producer, ['orders', 0])
  const stop = first.transaction('payments').stop('after PREPARE')
  const ending = end(producer, true).catch(() => 'lost')
  await first.runUntil(() => stop.isReached)
  await kill(first)
  await ending

  const second = await start()
  await second.runUntil(() => second.partition('orders', 0).lastStableOffset === 2)
  await second.transaction('payments').waitFor('CompleteCommit')
  expect(await initialize({ cluster: second, transactionalId: 'payments' })).toMatchObject({ error: 'NONE' })
})

test('who alone was in sync leads again, and has what only it had (R-45)', async () => {
  const first = await start({ topics: { orders: { assignments: [[2, 1, 3]] } } })
  await first.broker(1).crash()
  await first.broker(3).crash()
  await first.runUntil(() => first.partition('orders', 0).inSyncReplicas.length === 1)
  await first.producer({ acks: 'all' }).send({ topic: 'orders', value: 'mine' })
  await kill(first)

  const second = await start({ topics: {} })
  expect(second.partition('orders', 0).leader).toBe(2)
  await expect(second).toHaveDelivered('orders', [{ offset: 0, value: 'mine' }])
})

test('virtual time goes on where the coordinators of before wrote last', async () => {
  const first = await start()
  await first.clock.advance(86_400_000)
  await first.admin().alterConsumerGroupOffsets('billing', [{ topic: 'orders', partition: 0, offset: 0 }])
  const before = first.clock.now()
  await kill(first)

  const second = await start()
  expect(second.clock.now()).toBeWithin(before - 1_000, before + 60_000)
  await second.close()
  const third = await start({ startTime: 1_000_000 })
  expect(third.clock.now()).toBeLessThan(2_000_000)
})

test('a cluster may be continued any number of times', async () => {
  for (let round = 0; round < 5; round++) {
    const cluster = await start({ seed: round + 1 })
    const { offset } = await cluster.producer({ acks: 'all' }).send({ topic: 'orders', partition: 0, value: 'x' })
    expect(offset).toBe(round)
    await (round % 2 === 0 ? kill(cluster) : cluster.close())
  }
})

test('without logs of its own a cluster leaves nothing behind', async () => {
  await (await createCluster({ topics: { orders: {} } })).close()
  const cluster = await createCluster()
  open.push(cluster)
  expect(cluster.topicNames).toEqual([])
})

describe('what the options say of a cluster that is there', () => {
  async function failure(options: ClusterOptions): Promise<string> {
    return start(options).then(
      () => 'it passed',
      error => `${error.name}: ${error.message}`,
    )
  }

  test('the same is accepted, and so is what is left out, and more topics and brokers', async () => {
    await kill(await start())
    const second = await start({ topics: { orders: {}, more: { partitions: 1 } }, brokers: 5 })
    expect(second.topicNames).toContain('more')
    await second.createTopic({ name: 'wide', replicationFactor: 5 })
    expect(second.brokers.every(({ state }) => state === 'running')).toBe(true)
  })

  test.each([
    [{ partitions: 3 }, 'with partitions 2, not 3: leave that out, or add partitions (admin.createPartitions)'],
    [
      { replicationFactor: 2 },
      'with replicationFactor 3, not 2: leave that out, or move its replicas (admin.alterPartitionReassignments)',
    ],
    [
      { configs: { 'min.insync.replicas': 1 } },
      'with min.insync.replicas "2", not "1": leave that out, or change it (admin.incrementalAlterConfigs)',
    ],
    [
      { configs: { 'retention.ms': 1 } },
      'with retention.ms null, not "1": leave that out, or change it (admin.incrementalAlterConfigs)',
    ],
  ])('a topic that is there with %j otherwise is refused', async (topic, text) => {
    await kill(await start())
    expect(await failure({ topics: { orders: topic } })).toBe(
      `ConfigError: the topic 'orders' is there already, ${text}`,
    )
  })

  test('a broker that is missing is refused, unless the cluster has forgotten it', async () => {
    await kill(await start())
    expect(await failure({ brokers: 2 })).toBe(
      'ConfigError: brokers: the logs hold a cluster with brokers 1, 2, 3, and 3 would be missing: name all of them, ' +
        'or have it forget the others first (admin.unregisterBroker)',
    )
    const second = await start({ brokers: 4 })
    await second.broker(4).stop()
    await second.admin().unregisterBroker(4)
    await second.close()
    const third = await start({ brokers: 3 })
    expect(third.brokers.length).toBe(3)
  })

  test('another level of a feature is refused', async () => {
    await kill(await start())
    expect(await failure({ features: { 'transaction.version': 1 } })).toBe(
      'ConfigError: features: the logs hold a cluster with transaction.version 2, not 1: leave it out, or change it ' +
        '(admin.updateFeatures)',
    )
  })

  test('who is refused has changed nothing, and leaves the logs to the next', async () => {
    const first = await start()
    await first.producer({ acks: 'all' }).send({ topic: 'orders', partition: 0, value: 'kept' })
    expect(await failure({ topics: {} })).toBe(
      'ConfigError: logs: these are in use by a cluster that is open: close it first',
    )
    await first.producer({ acks: 'all' }).send({ topic: 'orders', partition: 0, value: 'kept too' })
    await kill(first)
    expect(await failure({ brokers: 1 })).toContain('would be missing')
    const second = await start()
    await expect(second).toHaveDelivered('orders', [{ value: 'kept' }, { value: 'kept too' }])
  })
})

test('access rules, quotas and delegation tokens go on, and a password of the options is the one that counts', async () => {
  const login = (user: string, password: string, more = '') =>
    ({
      'security.protocol': 'SASL_PLAINTEXT',
      'sasl.mechanism': 'SCRAM-SHA-256',
      'sasl.jaas.config': `ScramLoginModule required username="${user}" password="${password}"${more};`,
    }) as const
  const secured = (users: Record<string, string>) => ({
    sasl: { users },
    authorizer: { superUsers: ['User:admin'] },
    configs: { ...configs, 'delegation.token.secret.key': 'sesame' },
  })
  const first = await start(secured({ alice: 'old', bob: 'same' }))
  await first.allow('User:alice', 'write', { topic: 'orders' })
  await first.quota({ user: 'alice' }, { producerByteRate: 12_345 })
  const { tokenId, hmac } = await first.admin(login('alice', 'old')).createDelegationToken()
  await first.close()

  const second = await start(secured({ alice: 'new' }))
  const send = (config: object) => second.producer({ ...config, acks: 'all' }).send({ topic: 'orders', value: 'paid' })
  await send(login('alice', 'new'))
  await send(login(tokenId, Buffer.from(hmac).toString('base64'), ' tokenauth="true"'))
  await expect(send(login('alice', 'old'))).rejects.toMatchObject({ errorName: 'SASL_AUTHENTICATION_FAILED' })
  await expect(send(login('bob', 'same'))).rejects.toMatchObject({ errorName: 'TOPIC_AUTHORIZATION_FAILED' })
  const quotas = await second.admin({ principal: 'User:admin' }).describeClientQuotas()
  expect(JSON.stringify([...quotas])).toContain('12345')
})

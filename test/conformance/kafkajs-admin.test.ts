import { AclOperationTypes, ConfigResourceTypes } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { carriers, durable, KafkajsWorld } from './kafkajs-world.ts'

describe.each(carriers)('kafkajs administrates, %s', carrier => {
  const start = (topics = {}) => KafkajsWorld.start(carrier, { topics })

  test('topics: created, refused a second time, listed, described, given partitions, deleted', async () => {
    await using world = await start()
    const { admin } = world
    const orders = {
      topic: 'orders',
      numPartitions: 2,
      replicationFactor: 3,
      configEntries: [{ name: 'min.insync.replicas', value: '2' }],
    }
    expect(await admin.createTopics({ topics: [orders] })).toBe(true)
    expect(await admin.createTopics({ topics: [orders] })).toBe(false)
    await admin.createTopics({
      topics: [{ topic: 'placed', replicaAssignment: [{ partition: 0, replicas: [2, 3] }] }],
    })
    await expect(
      admin.createTopics({ topics: [{ topic: 'too-wide', numPartitions: 1, replicationFactor: 4 }] }),
    ).rejects.toMatchObject({ errors: [{ type: 'INVALID_REPLICATION_FACTOR' }] })
    expect((await admin.listTopics()).sort()).toEqual(['orders', 'placed'])
    await admin.createPartitions({ topicPartitions: [{ topic: 'orders', count: 3 }] })
    const { topics } = await admin.fetchTopicMetadata({ topics: ['orders', 'placed'] })
    const described = new Map(topics.map(({ name, partitions }) => [name, partitions]))
    expect(described.get('orders')).toHaveLength(3)
    for (const { leader, replicas, isr } of described.get('orders')!) {
      expect(new Set(replicas)).toEqual(new Set([1, 2, 3]))
      expect([isr.length, replicas.includes(leader)]).toEqual([3, true])
    }
    expect(described.get('placed')).toMatchObject([{ partitionId: 0, leader: 2, replicas: [2, 3] }])
    await admin.deleteTopics({ topics: ['orders'] })
    expect(await admin.listTopics()).toEqual(['placed'])
    await expect(admin.fetchTopicMetadata({ topics: ['orders'] })).rejects.toMatchObject({
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
  })

  test('the cluster: its brokers and its controller', async () => {
    await using world = await start()
    const { brokers, controller, clusterId } = await world.admin.describeCluster()
    expect(brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`])).toEqual(
      world.cluster.addresses.map((address, index) => [index + 1, address]),
    )
    expect(brokers.map(({ nodeId }) => nodeId)).toContain(controller)
    expect(clusterId).toMatch(/^[\w-]{22}$/)
  })

  test('configurations: of a topic and of a broker, read and set', async () => {
    await using world = await start({ orders: durable })
    const { admin } = world
    const resource = { type: ConfigResourceTypes.TOPIC, name: 'orders' }
    const configured = async (name: string) => {
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ ...resource, configNames: [name] }],
      })
      return resources[0]!.configEntries[0]!.configValue
    }
    expect([await configured('min.insync.replicas'), await configured('retention.ms')]).toEqual(['2', '604800000'])
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '1000' }] }],
    })
    // Kafka's AlterConfigs replaces all of them: what was not named has its default again.
    expect([await configured('min.insync.replicas'), await configured('retention.ms')]).toEqual(['1', '1000'])
    const broker = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.BROKER, name: '1', configNames: ['message.max.bytes'] }],
    })
    expect(broker.resources[0]!.configEntries[0]!.configValue).toBe('1048588')
    await expect(
      admin.alterConfigs({
        validateOnly: true,
        resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: 'long' }] }],
      }),
    ).rejects.toMatchObject({ type: 'INVALID_CONFIG' })
  })

  test('offsets: bounds of a topic, by time, and after its first records were deleted', async () => {
    await using world = await start({ orders: { partitions: 1, replicationFactor: 3 } })
    const { admin } = world
    const producer = await world.producer()
    const day = 86_400_000
    const first = Date.now() - 3 * day
    for (const at of [0, 1, 2]) {
      await producer.send({ topic: 'orders', messages: [{ value: `${at}`, timestamp: `${first + at * day}` }] })
    }
    expect(await admin.fetchTopicOffsets('orders')).toEqual([{ partition: 0, offset: '3', high: '3', low: '0' }])
    expect(await admin.fetchTopicOffsetsByTimestamp('orders', first + 1)).toEqual([{ partition: 0, offset: '1' }])
    await admin.deleteTopicRecords({ topic: 'orders', partitions: [{ partition: 0, offset: '2' }] })
    expect(await admin.fetchTopicOffsets('orders')).toEqual([{ partition: 0, offset: '3', high: '3', low: '2' }])
    await expect(
      admin.deleteTopicRecords({ topic: 'orders', partitions: [{ partition: 0, offset: '9' }] }),
    ).rejects.toMatchObject({ cause: { partitions: [{ partition: 0, error: { type: 'OFFSET_OUT_OF_RANGE' } }] } })
  })

  test('groups: listed, described, their offsets read, set and reset, deleted once nobody is in them', async () => {
    await using world = await start({ orders: { partitions: 1, replicationFactor: 3 } })
    const { admin, cluster } = world
    const producer = await world.producer()
    await producer.send({ topic: 'orders', messages: ['paid', 'packed', 'sent'].map(value => ({ value })) })
    const reader = await world.member('orders')
    await world.until(() => cluster.group('billing').committed('orders', 0)?.offset === 3)
    expect((await admin.listGroups()).groups).toEqual([{ groupId: 'billing', protocolType: 'consumer' }])
    const { groups } = await admin.describeGroups(['billing'])
    expect(groups[0]).toMatchObject({
      state: 'Stable',
      protocol: 'RoundRobinAssigner',
      members: [{ clientId: 'billing', clientHost: '/127.0.0.1' }],
    })
    const offset = async () => {
      const [topic] = await admin.fetchOffsets({ groupId: 'billing', topics: ['orders'] })
      return topic!.partitions[0]!.offset
    }
    expect(await offset()).toBe('3')
    const busy = { groups: [{ groupId: 'billing', error: { type: 'NON_EMPTY_GROUP' } }] }
    await expect(admin.deleteGroups(['billing'])).rejects.toMatchObject(busy)
    await reader.consumer.stop()
    await admin.setOffsets({ groupId: 'billing', topic: 'orders', partitions: [{ partition: 0, offset: '1' }] })
    expect(await offset()).toBe('1')
    await admin.resetOffsets({ groupId: 'billing', topic: 'orders', earliest: true })
    // kafkajs commits −2 for "the earliest there is", and resolves it by itself when it reads.
    expect(await offset()).toBe('-2')
    expect(await admin.deleteGroups(['billing'])).toMatchObject([{ groupId: 'billing', errorCode: 0 }])
    expect((await admin.listGroups()).groups).toEqual([])
  })

  test('ACLs: refused, as by a broker without an authorizer', async () => {
    await using world = await start()
    await expect(
      world.admin.describeAcls({
        resourceType: 2,
        resourcePatternType: 1,
        operation: AclOperationTypes.ANY,
        permissionType: 1,
      }),
    ).rejects.toMatchObject({ type: 'SECURITY_DISABLED' })
  })
})

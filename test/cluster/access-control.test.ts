/** Access control as a user of a cluster meets it (M-70…M-73). */
import { describe, expect, test } from 'vitest'
import { Admin, type Cluster, type ClusterOptions, createCluster, KafkaError } from '../../src/index.ts'
import '../../src/vitest.ts'

const secured = (options: ClusterOptions = {}) =>
  createCluster({ brokers: 3, authorizer: 'standard', topics: { orders: { replicationFactor: 3 } }, ...options })

const alice = { principal: 'User:alice' } as const

/** What a call was refused with. */
async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'allowed'
  } catch (error) {
    if (error instanceof KafkaError) return error.name
    throw error
  }
}

/** Reads what there is of `orders`, in a group. */
function reader(cluster: Cluster) {
  const consumer = cluster.consumer({ ...alice, 'group.id': 'billing', 'auto.offset.reset': 'earliest' })
  consumer.subscribe(['orders'])
  return consumer
}

describe('a cluster with an authorizer', () => {
  test('refuses a producer what nobody allowed it, until somebody does; brokers replicate as ever (M-72)', async () => {
    await using cluster = await secured()
    const producer = cluster.producer({ ...alice, acks: 'all' })
    const send = () => producer.send({ topic: 'orders', value: 'paid' })
    expect(await refusal(send())).toBe('TopicAuthorizationError')
    await cluster.allow('User:alice', 'write', { topic: 'orders' })
    expect(await refusal(send())).toBe('allowed')
    const { inSyncReplicas, highWatermark } = cluster.partition('orders', 0)
    expect([inSyncReplicas.length, highWatermark]).toEqual([3, 1])
    await expect(cluster).toHaveDelivered('orders', [{ value: 'paid' }])
  })

  test('takes a permission from a running producer, and gives it back when the denial is disposed of (M-70)', async () => {
    await using cluster = await secured()
    await cluster.allow('User:*', 'all', { topic: '*' })
    const producer = cluster.producer(alice)
    const send = (value: string) => refusal(producer.send({ topic: 'orders', value }))
    expect(await send('before')).toBe('allowed')
    {
      await using denial = await cluster.deny('User:alice', 'write', { topic: 'orders' })
      expect(denial).toBeDefined()
      expect(await send('denied')).toBe('TopicAuthorizationError')
      // It is a denial for one of them.
      expect(await refusal(cluster.producer().send({ topic: 'orders', value: 'of another' }))).toBe('allowed')
    }
    expect(await send('after')).toBe('allowed')
    await expect(cluster).toHaveDelivered('orders', [{ value: 'before' }, { value: 'of another' }, { value: 'after' }])
  })

  test('tells a consumer whether its group or its topic is the matter (M-72, M-73)', async () => {
    await using cluster = await secured()
    const consumer = reader(cluster)
    const poll = () => refusal(consumer.poll({ timeoutMs: 5_000 }))
    expect(await poll()).toBe('TopicAuthorizationError')
    await cluster.allow('User:alice', 'read', { topic: 'orders' })
    expect(await poll()).toBe('GroupAuthorizationError')
    await cluster.allow('User:alice', 'read', { group: 'bill', prefixed: true })
    expect(await poll()).toBe('allowed')
    await cluster.deny('User:alice', 'read', { topic: 'orders' })
    expect(await poll()).toBe('TopicAuthorizationError')
  })

  test('with the new protocol of groups, too; a pattern matches only what its member may know (KIP-848)', async () => {
    await using cluster = await secured({ topics: { 'open-1': {}, 'closed-1': {} } })
    await cluster.allow('User:alice', 'all', { group: '*' })
    const member = cluster.consumer({ ...alice, 'group.id': 'g', 'group.protocol': 'consumer' })
    member.subscribe(['closed-1'])
    expect(await refusal(member.poll({ timeoutMs: 5_000 }))).toBe('TopicAuthorizationError')
    await cluster.allow('User:alice', 'read', { topic: 'open-', prefixed: true })
    const pattern = cluster.consumer({ ...alice, 'group.id': 'h', 'group.protocol': 'consumer' })
    pattern.subscribe({ pattern: '.*-1' } as never)
    await pattern.poll({ timeoutMs: 20_000 })
    expect([...pattern.assignment()].map(({ topic }) => topic)).toEqual(['open-1'])
  })

  test('refuses transactions by their id, and what they take in by its own right (M-72)', async () => {
    await using cluster = await secured()
    const producer = () => cluster.producer({ ...alice, 'transactional.id': 'transfer' })
    expect(await refusal(producer().initTransactions())).toBe('TransactionalIdAuthorizationError')
    await cluster.allow('User:alice', 'write', { transactionalId: 'transfer' })
    const able = producer()
    await able.initTransactions()
    able.beginTransaction()
    expect(await refusal(able.send({ topic: 'orders', value: 'x' }))).toBe('TopicAuthorizationError')
    await able.abortTransaction()
    await cluster.allow('User:alice', 'write', { topic: 'orders' })
    able.beginTransaction()
    expect(await refusal(able.send({ topic: 'orders', value: 'y' }))).toBe('allowed')
    const groupMetadata = { groupId: 'billing', generationId: -1, memberId: '', groupInstanceId: null }
    const offsets = [{ topic: 'orders', partition: 0, offset: 1 }]
    expect(await refusal(able.sendOffsetsToTransaction(offsets as never, groupMetadata as never))).toBe(
      'GroupAuthorizationError',
    )
    await able.abortTransaction()
  })

  test('asks an idempotent producer for something that it may write to, or IDEMPOTENT_WRITE (KIP-679)', async () => {
    await using cluster = await secured({ topics: { orders: {}, audit: {} } })
    const first = cluster.producer(alice)
    expect(await refusal(first.send({ topic: 'orders', value: 'x' }))).not.toBe('allowed')
    await cluster.allow('User:alice', 'idempotentWrite', 'cluster')
    expect(await refusal(cluster.producer(alice).send({ topic: 'orders', value: 'x' }))).toBe('TopicAuthorizationError')
    await cluster.allow('User:alice', 'write', { topic: 'audit' })
    expect(await refusal(cluster.producer(alice).send({ topic: 'audit', value: 'x' }))).toBe('allowed')
  })

  test('makes topics for those only who may create them, whether they ask or just write (M-4, M-72)', async () => {
    await using cluster = await secured()
    const admin = cluster.admin(alice)
    expect(await refusal(admin.createTopics([{ name: 'made' }]))).toBe('TopicAuthorizationError')
    await cluster.allow('User:alice', 'write', { topic: 'wanted-', prefixed: true })
    const send = (topic: string) => refusal(cluster.producer(alice).send({ topic, value: 'x' }))
    expect(await send('wanted-1')).toBe('TopicAuthorizationError')
    await cluster.allow('User:alice', 'create', { topic: 'wanted-', prefixed: true })
    expect(await send('wanted-1')).toBe('allowed')
    await cluster.allow('User:alice', 'create', 'cluster')
    expect(await refusal(admin.createTopics([{ name: 'made' }]))).toBe('allowed')
    // The test itself makes what it likes.
    expect(await cluster.createTopic({ prefix: 'own' })).toBe('own-1')
  })

  test('lists what the asker may know, and nothing else (M-3, M-73)', async () => {
    await using cluster = await secured({ topics: { orders: {}, secrets: {} } })
    await cluster.allow('User:alice', 'describe', { topic: 'orders' })
    const admin = cluster.admin(alice)
    expect((await admin.listTopics()).map(topic => (typeof topic === 'string' ? topic : topic.name))).toEqual([
      'orders',
    ])
    expect(await refusal(admin.describeTopics(['secrets']))).toBe('TopicAuthorizationError')
    // Whether there is such a topic cannot be told from the answer.
    expect(await refusal(admin.describeTopics(['no-such-topic']))).toBe('TopicAuthorizationError')
    expect(await refusal(admin.describeAcls())).toBe('ClusterAuthorizationError')
  })

  test('keeps its ACLs in the metadata log: the controller may go, and brokers may start again', async () => {
    await using cluster = await secured()
    await cluster.allow('User:alice', 'write', { topic: 'orders' })
    await cluster.controller.crash()
    await cluster.controller.restart()
    for (const broker of cluster.brokers) await broker.restart()
    expect(await refusal(cluster.producer(alice).send({ topic: 'orders', value: 'x' }))).toBe('allowed')
    expect(await refusal(cluster.producer().send({ topic: 'orders', value: 'x' }))).toBe('TopicAuthorizationError')
  })

  test('looks at the host from which somebody comes, and at nothing but its text (M-71)', async () => {
    await using cluster = await secured()
    await cluster.allow('User:alice', 'write', { topic: 'orders' }, { host: '10.0.0.1' })
    const send = () => refusal(cluster.producer(alice).send({ topic: 'orders', value: 'x' }))
    expect(await send()).toBe('TopicAuthorizationError')
    await cluster.allow('User:alice', 'write', { topic: 'orders' }, { host: '127.0.0.1' })
    expect(await send()).toBe('allowed')
  })
})

describe('administrators', () => {
  test('make, describe and delete ACLs; what is there already is not made twice', async () => {
    await using cluster = await secured({ authorizer: { superUsers: ['User:admin'] } })
    const admin = cluster.admin({ principal: 'User:admin' })
    const acl = {
      resourceType: 'topic',
      resourceName: 'orders',
      patternType: 'literal',
      principal: 'User:alice',
      host: '*',
      operation: 'read',
      permission: 'allow',
    } as const
    const prefix = { ...acl, resourceName: 'ord', patternType: 'prefixed', permission: 'deny' } as const
    await admin.createAcls([acl, prefix, acl])
    await admin.createAcls([acl])
    expect(await admin.describeAcls()).toEqual([acl, prefix])
    expect(await admin.describeAcls({ resourceName: 'orders', patternType: 'match' })).toEqual([acl, prefix])
    expect(await admin.describeAcls({ principal: 'User:bob' })).toEqual([])
    const filter = { permission: 'deny' } as const
    expect([...(await admin.deleteAcls([filter]))]).toEqual([[filter, [prefix]]])
    expect(await admin.describeAcls()).toEqual([acl])
    expect(await refusal(admin.createAcls([{ ...acl, resourceName: '' }]))).toBe('InvalidRequestError')
    expect(await refusal(admin.createAcls([{ ...acl, principal: 'alice' }]))).toBe('InvalidRequestError')
    expect(await refusal(admin.createAcls([{ ...acl, resourceType: 'cluster' }]))).toBe('InvalidRequestError')
    expect(await refusal(cluster.admin(alice).createAcls([acl]))).toBe('ClusterAuthorizationError')
  })

  test('with allowEveryoneIfNoAclFound everybody may, where nobody said anything (M-70)', async () => {
    await using cluster = await secured({
      authorizer: { allowEveryoneIfNoAclFound: true },
      topics: { orders: {}, b: {} },
    })
    const send = (topic: string) => refusal(cluster.producer().send({ topic, value: 'x' }))
    expect(await send('orders')).toBe('allowed')
    await cluster.allow('User:alice', 'read', { topic: 'orders' })
    expect([await send('orders'), await send('b')]).toEqual(['TopicAuthorizationError', 'allowed'])
  })

  test('may carry over the keys of a broker’s file', async () => {
    await using cluster = await createCluster({
      brokers: 1,
      configs: { 'authorizer.class.name': 'org.example.Any', 'super.users': 'User:root' },
      topics: { orders: {} },
    })
    expect(await refusal(cluster.producer({ principal: 'User:root' }).send({ topic: 'orders', value: 'x' }))).toBe(
      'allowed',
    )
    expect(await refusal(cluster.producer().send({ topic: 'orders', value: 'x' }))).toBe('TopicAuthorizationError')
  })

  test('who logs in by SASL is asked under that name; an envelope carries it to the controller (KIP-590)', async () => {
    await using cluster = await createCluster({
      brokers: 1,
      listen: { sasl: { users: { admin: 'secret', bob: 'hunter2' } } },
      authorizer: { superUsers: ['User:admin'] },
    })
    const connect = (user: string, password: string) =>
      new Admin({
        'bootstrap.servers': cluster.bootstrapServers,
        'security.protocol': 'SASL_PLAINTEXT',
        'sasl.mechanism': 'PLAIN',
        'sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required username="${user}" password="${password}";`,
      })
    await using admin = connect('admin', 'secret')
    await using bob = connect('bob', 'hunter2')
    expect(await refusal(bob.createTopics([{ name: 'orders' }]))).toBe('TopicAuthorizationError')
    expect(await refusal(admin.createTopics([{ name: 'orders' }]))).toBe('allowed')
  })
})

describe('what cannot be meant is refused with what would be right', () => {
  test('allow and deny need an authorizer', async () => {
    await using cluster = await createCluster({ brokers: 1 })
    const needs = "deny() needs an authorizer: createCluster({ authorizer: 'standard' })"
    await expect(cluster.deny('User:alice', 'read', { topic: 'orders' })).rejects.toThrow(needs)
  })

  test.each<[string, (cluster: Cluster) => Promise<unknown>, string]>([
    ['a principal', cluster => cluster.allow('alice', 'read', { topic: 't' }), "a principal is written 'User:alice'"],
    [
      'an operation',
      cluster => cluster.allow('User:a', 'reed' as never, { topic: 't' }),
      'there is no operation "reed"',
    ],
    ['a kind', cluster => cluster.allow('User:a', 'read', { topics: 't' } as never), 'topic'],
    [
      'two kinds',
      cluster => cluster.allow('User:a', 'read', { topic: 't', group: 'g' } as never),
      'a resource has one kind',
    ],
    ['no name', cluster => cluster.allow('User:a', 'read', { topic: '' }), 'a resource has one kind and a name'],
    [
      'a text',
      cluster => cluster.allow('User:a', 'read', 'orders' as never),
      "a resource is 'cluster', or named as in",
    ],
  ])('%s', async (_, call, message) => {
    await using cluster = await createCluster({ brokers: 1, authorizer: 'standard' })
    await expect(call(cluster)).rejects.toThrow(message)
  })

  test.each<[unknown, string]>([
    ['strict', "authorizer takes 'standard'"],
    [{ superUsers: 'User:admin' }, 'superUsers takes a list'],
    [{ superUsers: ['admin'] }, "a super user is written 'User:admin'"],
    [{ superUser: ['User:admin'] }, 'superUsers'],
  ])('authorizer: %j', async (authorizer, message) => {
    await expect(createCluster({ brokers: 1, authorizer: authorizer as never })).rejects.toThrow(message)
  })
})

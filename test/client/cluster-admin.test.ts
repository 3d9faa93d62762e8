import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Cluster, createCluster } from '../../src/index.ts'
import { IllegalArgumentError, type KafkaError } from '../../src/wire/errors.ts'

let cluster: Cluster
beforeEach(async () => {
  cluster = await createCluster({ brokers: 2, topics: { orders: { assignments: [[1], [2]] } } })
})
afterEach(() => cluster.close())

const reasonOf = (call: Promise<unknown>): Promise<KafkaError> =>
  call.then(
    () => {
      throw new Error('it was expected to reject')
    },
    reason => reason,
  )

test('the quorum: one controller, and the brokers that follow it', async () => {
  await cluster.clock.advance(2_000)
  const quorum = await cluster.admin().describeMetadataQuorum()
  expect(quorum).toMatchObject({ leaderId: 1000, leaderEpoch: 1 })
  expect(quorum.voters.map(({ replicaId, logEndOffset }) => [replicaId, logEndOffset])).toEqual([
    [1000, quorum.highWatermark],
  ])
  expect(quorum.observers.map(({ replicaId, logEndOffset }) => [replicaId, logEndOffset])).toEqual([
    [1, quorum.highWatermark],
    [2, quorum.highWatermark],
  ])
  expect(quorum.nodes.map(({ nodeId, listeners }) => [nodeId, listeners[0]!.name])).toEqual([[1000, 'CONTROLLER']])
})

test('a feature is downgraded when the type says so, and otherwise refused', async () => {
  const admin = cluster.admin()
  const { image } = cluster.broker(1).broker!
  expect(await reasonOf(admin.updateFeatures({ 'transaction.version': { maxVersionLevel: 1 } }))).toMatchObject({
    errorName: 'INVALID_UPDATE_VERSION',
    message: expect.stringMatching(/without setting the upgrade type/),
  })
  const down = { 'transaction.version': { maxVersionLevel: 1, upgradeType: 'safeDowngrade' } } as const
  await admin.updateFeatures(down, { validateOnly: true })
  expect(image.featureLevel('transaction.version')).toBe(2)
  await admin.updateFeatures(down)
  expect(image.featureLevel('transaction.version')).toBe(1)
  await expect(admin.updateFeatures({ a: { maxVersionLevel: 1, upgradeType: 'down' as never } })).rejects.toThrow(
    new IllegalArgumentError('upgradeType is one of upgrade, safeDowngrade, unsafeDowngrade, not down'),
  )
})

test('a broker that is gone for good is unregistered', async () => {
  const admin = cluster.admin()
  await cluster.broker(2).stop()
  await admin.unregisterBroker(2)
  const { nodes } = await admin.describeCluster({ includeFencedBrokers: true })
  expect(nodes.map(({ id }) => id)).toEqual([1])
  expect(await reasonOf(admin.unregisterBroker(2))).toMatchObject({ errorName: 'BROKER_ID_NOT_REGISTERED' })
})

test('log directories by broker and path, and what cannot be moved', async () => {
  const admin = cluster.admin()
  const dirs = await admin.describeLogDirs([1, 2])
  const placed = (broker: number) =>
    dirs
      .get(broker)!
      .get('/tmp/kafka-logs')!
      .replicas.map(({ topic, partition }) => `${topic}-${partition}`)
  expect([placed(1), placed(2)]).toEqual([['orders-0'], ['orders-1']])
  expect(dirs.get(1)!.get('/tmp/kafka-logs')).toMatchObject({
    error: undefined,
    totalBytes: undefined,
    isCordoned: false,
  })
  const move = { topic: 'orders', partition: 0, brokerId: 1, path: '/tmp/kafka-logs' }
  await admin.alterReplicaLogDirs([move])
  const error = await reasonOf(admin.alterReplicaLogDirs([move, { ...move, partition: 1 }]))
  expect(error).toMatchObject({
    errorName: 'REPLICA_NOT_AVAILABLE',
    message: expect.stringMatching(/^orders-1 at broker 1: /),
  })
  expect((error.details as Map<unknown, unknown>).get(move)).toBeUndefined()
  expect(await reasonOf(admin.alterReplicaLogDirs([{ ...move, path: '/nosuch' }]))).toMatchObject({
    errorName: 'LOG_DIR_NOT_FOUND',
  })
})

test('resources with a configuration, by type', async () => {
  const admin = cluster.admin()
  const resource = { type: 'group', name: 'billing' } as const
  await admin.incrementalAlterConfigs([
    { resource, operations: [{ name: 'consumer.session.timeout.ms', value: 50_000 }] },
  ])
  expect(await admin.listConfigResources(['group', 'topic'])).toEqual([resource, { type: 'topic', name: 'orders' }])
  expect(await admin.listConfigResources()).toHaveLength(6)
  await expect(admin.listConfigResources(['grup' as never])).rejects.toThrow(
    new IllegalArgumentError(
      'the type of a resource is one of topic, broker, brokerLogger, clientMetrics, group, not grup',
    ),
  )
})

test('quotas are set, found and removed', async () => {
  const admin = cluster.admin()
  await admin.alterClientQuotas([
    { entity: { user: 'alice', 'client-id': 'c' }, values: { producer_byte_rate: 1000 } },
    { entity: { user: null }, values: { request_percentage: 50, consumer_byte_rate: 5 } },
  ])
  await admin.alterClientQuotas([{ entity: { user: null }, values: { consumer_byte_rate: null } }])
  expect(await admin.describeClientQuotas()).toEqual([
    { entity: { 'client-id': 'c', user: 'alice' }, values: { producer_byte_rate: 1000 } },
    { entity: { user: null }, values: { request_percentage: 50 } },
  ])
  const found = async (components: Parameters<typeof admin.describeClientQuotas>[0]) =>
    (await admin.describeClientQuotas(components)).map(({ entity }) => entity)
  expect(await found({ components: [{ type: 'user', name: null }] })).toEqual([{ user: null }])
  expect(await found({ components: [{ type: 'user' }], strict: true })).toEqual([{ user: null }])
  expect(await found({ components: [{ type: 'user', name: 'alice' }] })).toEqual([{ 'client-id': 'c', user: 'alice' }])
  const wrong = { entity: { user: 'bob' }, values: { nosuch: 1 } }
  expect(await reasonOf(admin.alterClientQuotas([wrong], { validateOnly: true }))).toMatchObject({
    errorName: 'INVALID_REQUEST',
    message: 'the quotas of {"user":"bob"}: Invalid configuration key nosuch',
  })
  await expect(admin.alterClientQuotas([{ entity: { usr: 'x' } as never, values: {} }])).rejects.toThrow(/did you mean/)
})

test('a password becomes a credential, and is not what travels (RFC 5802)', async () => {
  const admin = cluster.admin()
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
  await admin.alterUserScramCredentials([
    { user: 'user', mechanism: 'SCRAM-SHA-256', password: 'pencil', salt },
    { user: 'other', mechanism: 'SCRAM-SHA-512', password: 'secret', iterations: 8192 },
  ])
  // The exchange that RFC 7677 shows in section 3: with this key the server signs it.
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
  const exchange = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`
  const { serverKey } = cluster.broker(1).broker!.image.scramCredentials.of('user').get(1)!
  const signature = createHmac('sha256', serverKey).update(exchange).digest('base64')
  expect(signature).toBe('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')
  expect(await admin.describeUserScramCredentials(['user'])).toEqual(
    new Map([['user', [{ mechanism: 'SCRAM-SHA-256', iterations: 4096 }]]]),
  )
  await admin.alterUserScramCredentials([{ user: 'user', mechanism: 'SCRAM-SHA-256', deletion: true }])
  expect([...(await admin.describeUserScramCredentials()).keys()]).toEqual(['other'])
  expect(await reasonOf(admin.describeUserScramCredentials(['user']))).toMatchObject({
    errorName: 'RESOURCE_NOT_FOUND',
  })
})

test('ACLs need an authorizer, tokens somebody who authenticated', async () => {
  const admin = cluster.admin()
  const acl = {
    resourceType: 'topic',
    resourceName: 'orders',
    principal: 'User:alice',
    operation: 'read',
    permission: 'allow',
  } as const
  for (const call of [admin.describeAcls(), admin.createAcls([acl]), admin.deleteAcls([{ principal: 'User:alice' }])]) {
    expect(await reasonOf(call)).toMatchObject({ errorName: 'SECURITY_DISABLED' })
  }
  await admin.createAcls([])
  const hmac = new Uint8Array([1])
  const calls = [
    admin.createDelegationToken({ owner: 'User:bob', renewers: ['User:alice'] }),
    admin.renewDelegationToken(hmac),
    admin.expireDelegationToken(hmac, { expiryTimePeriodMs: 5 }),
    admin.describeDelegationToken({ owners: ['User:bob'] }),
  ]
  for (const call of calls) {
    expect(await reasonOf(call)).toMatchObject({ errorName: 'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED' })
  }
  await expect(admin.createDelegationToken({ owner: 'bob' as never })).rejects.toThrow(
    new IllegalArgumentError("a principal is written as in User:alice, not 'bob'"),
  )
  await expect(admin.createAcls([{ ...acl, operation: 'raed' as never }])).rejects.toThrow(
    /operation is one of any, all, read/,
  )
})

test('a change that finds no controller is asked for again until there is one', async () => {
  const admin = cluster.admin()
  await admin.listTopics()
  await cluster.controller.crash()
  const altered = admin.alterClientQuotas([{ entity: { user: 'alice' }, values: { producer_byte_rate: 1 } }])
  const credited = admin.alterUserScramCredentials([{ user: 'u', mechanism: 'SCRAM-SHA-256', password: 'p' }])
  await cluster.clock.advance(1_000)
  await cluster.controller.restart()
  await Promise.all([altered, credited])
  expect(await admin.describeClientQuotas()).toHaveLength(1)
  expect([...(await admin.describeUserScramCredentials()).keys()]).toEqual(['u'])
})

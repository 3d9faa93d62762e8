import { Admin, createCluster, Producer } from 'mini-kafka'
import { expect, test } from 'vitest'
import { apiVersions } from '../../src/apis/api-versions.ts'
import { metadata } from '../../src/apis/metadata.ts'
import { apis } from '../../src/apis/registry.ts'
import { Connection } from '../../src/network/connection.ts'
import { TcpCarrier } from '../../src/network/tcp.ts'
import { RealRuntime } from '../../src/runtime/real.ts'
import type { AnyApi, RequestInput } from '../../src/wire/api.ts'
import '../../src/vitest.ts'

const software = { clientSoftwareName: 'raw', clientSoftwareVersion: '1' }
const allTopics = { topics: null, allowAutoTopicCreation: false, includeTopicAuthorizedOperations: false }

/** What a listening broker of that release answers to a client's first request. */
async function ask<A extends AnyApi>(kafkaVersion: string | undefined, api: A, version: number, body: RequestInput<A>) {
  await using cluster = await createCluster({
    brokers: 1,
    listen: true,
    ...(kafkaVersion === undefined ? {} : { kafkaVersion }),
  })
  const runtime = new RealRuntime({ seed: 1 })
  const carrier = new TcpCarrier({ runtime })
  const [host, port] = cluster.bootstrapServers.split(':') as [string, string]
  const channel = await carrier.connect('raw', { host, port: Number(port) })
  try {
    return await new Connection(channel, { runtime, clientId: 'raw' }).request(api, version, body, 2_000)
  } finally {
    await carrier.close()
    await runtime.close(new Error('closed'))
  }
}

async function advertised(kafkaVersion?: string): Promise<Map<number, readonly [number, number]>> {
  const { apiKeys } = await ask(kafkaVersion, apiVersions, 0, software)
  return new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]))
}

test('clients of an old release find the versions that it had, and nothing that came later', async () => {
  const spans = await advertised('2.8')
  expect([0, 1, 3, 18, 22].map(key => spans.get(key))).toEqual([
    [0, 9],
    [4, 12],
    [0, 11],
    [0, 3],
    [0, 4],
  ])
  // DescribeTopicPartitions came with 3.8, IncrementalAlterConfigs with 2.3.
  expect([spans.has(75), spans.has(44)]).toEqual([false, true])
  expect((await advertised('2.2')).has(44)).toBe(false)
})

test('without a release, and as 4.3, everything is offered', async () => {
  const own = apis.filter(api => api.broker !== undefined)
  const expected = new Map(own.map(({ key, advertised: { min, max } }) => [key, [min, max]]))
  expect(await advertised()).toEqual(expected)
  expect(await advertised('4.3.1')).toEqual(expected)
})

test('what the release refused is refused: the connection is closed (W-5)', async () => {
  expect((await ask('2.8', metadata, 11, allTopics)).brokers).toHaveLength(1)
  await expect(ask('2.8', metadata, 12, allTopics)).rejects.toThrow('was closed')
})

test('an unknown version of ApiVersions is answered with the range of the release, before 2.4 without one (W-11)', async () => {
  const range = async (version: string) => (await ask(version, apiVersions, 4, software)).apiKeys
  expect(await range('2.8')).toEqual([{ apiKey: 18, minVersion: 0, maxVersion: 3 }])
  expect(await range('2.3')).toEqual([])
})

test.each(['0.11.0', '2.8', '3.9'])(
  'three brokers that call themselves %s replicate among themselves as ever',
  async kafkaVersion => {
    await using cluster = await createCluster({
      listen: true,
      kafkaVersion,
      topics: { orders: { replicationFactor: 3 } },
    })
    const servers = { 'bootstrap.servers': cluster.bootstrapServers }
    await using producer = new Producer({ ...servers, acks: 'all' })
    await producer.send({ topic: 'orders', value: 'x' })
    await expect(cluster).toBeInSync('orders')
    await using admin = new Admin(servers)
    expect((await admin.listTopics()).map(({ name }) => name)).toEqual(['orders'])
    expect(cluster.requests({ api: 'Produce' })[0]!.version).toBe({ '0.11.0': 3, '2.8': 9, '3.9': 11 }[kafkaVersion])
  },
)

test('a release that is not known is refused with those that are', async () => {
  await expect(createCluster({ kafkaVersion: '2.80' })).rejects.toThrow(
    'kafkaVersion "2.80" is not a release that is known: 0.11.0, 1.0,',
  )
})

test('topics are described to the admin client, though releases before 3.8 have no DescribeTopicPartitions', async () => {
  await using cluster = await createCluster({
    brokers: 1,
    listen: true,
    kafkaVersion: '3.4',
    topics: { orders: { partitions: 2 } },
  })
  await using admin = new Admin({ 'bootstrap.servers': cluster.bootstrapServers })
  const described = await admin.describeTopics(['orders'])
  expect(described.get('orders')).toMatchObject({
    name: 'orders',
    isInternal: false,
    partitions: [
      { partition: 0, leader: 1, replicas: [1], inSyncReplicas: [1], eligibleLeaderReplicas: [] },
      { partition: 1, leader: 1, replicas: [1], inSyncReplicas: [1], eligibleLeaderReplicas: [] },
    ],
  })
  await expect(admin.describeTopics(['orders', 'ordres'])).rejects.toMatchObject({
    errorName: 'UNKNOWN_TOPIC_OR_PARTITION',
  })
})

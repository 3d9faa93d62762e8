/** The workflow of a producer as Korvet's documentation has it, with KafkaJS, and what is in Redis then. */
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ApiVersions, type Cluster, CreateTopics, createCluster, Metadata, Produce } from '../../src/index.ts'
import { redisLogs } from '../../src/redis.ts'
import { recordsOf } from '../../src/wire/record.ts'
import { RecordBatch } from '../../src/wire/record-batch.ts'
import { missingForRedis, type RedisServer, RedisServers } from './servers.ts'

const servers = new RedisServers()
let server: RedisServer
let cluster: Cluster

describe.skipIf(missingForRedis() !== undefined)('a producer of KafkaJS on logs in Redis', () => {
  beforeAll(async () => {
    server = await servers.server()
    cluster = await createCluster({ brokers: 1, listen: true, logs: redisLogs(server.client()) })
  })
  afterAll(async () => {
    await cluster?.close()
    await servers.stop()
  })

  test('asks for versions and metadata, creates a topic, produces: SCAN and XRANGE show it', async () => {
    const kafka = new Kafka({ brokers: cluster.addresses, clientId: 'workflow', logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    const configEntries = [{ name: 'retention.ms', value: '604800000' }]
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 3, replicationFactor: 1, configEntries }] })
    // Streams are made by the first record.
    expect(await scan('korvet:stream:orders:*')).toEqual([])
    const producer = kafka.producer()
    await producer.connect()
    const messages = [{ key: 'ORDER-1001', value: 'paid', partition: 1 }]
    await producer.send({ topic: 'orders', messages })
    await producer.send({ topic: 'orders', messages: [{ key: 'ORDER-1002', value: 'shipped', partition: 1 }] })
    const { topics } = await admin.fetchTopicMetadata({ topics: ['orders'] })
    expect(topics[0]?.partitions.length).toBe(3)
    await Promise.all([producer.disconnect(), admin.disconnect()])
    for (const api of [ApiVersions, Metadata, CreateTopics, Produce]) {
      expect(cluster.requests({ api, from: 'workflow' }).length).toBeGreaterThan(0)
    }

    expect(await scan('korvet:stream:orders:*')).toEqual(['korvet:stream:orders:1'])
    const client = server.client()
    const entries = await client.xrangeBuffer('korvet:stream:orders:1', '-', '+')
    expect(entries.map(([id, [field]]) => [`${id}`, `${field}`])).toEqual([
      ['1-0', 'b'],
      ['2-0', 'b'],
    ])
    const values = entries.flatMap(([, [, bytes]]) => {
      const batch = new RecordBatch(bytes!.subarray(0, 61), bytes!.subarray(61))
      return recordsOf(batch).map(({ key, value }) => [`${Buffer.from(key!)}`, `${Buffer.from(value!)}`])
    })
    expect(values).toEqual([
      ['ORDER-1001', 'paid'],
      ['ORDER-1002', 'shipped'],
    ])
    client.disconnect()
  })

  async function scan(match: string): Promise<string[]> {
    const client = server.client()
    const [, keys] = (await client.call('SCAN', '0', 'MATCH', match, 'TYPE', 'stream', 'COUNT', '10000')) as [
      string,
      string[],
    ]
    client.disconnect()
    return keys.sort()
  }
})

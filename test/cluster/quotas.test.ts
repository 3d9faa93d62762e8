import { afterEach, describe, expect, test } from 'vitest'
import { metadata } from '../../src/apis/metadata.ts'
import { type Cluster, createCluster, Producer, type QuotaSpec } from '../../src/index.ts'
import { rudeClient, sendBytes } from '../broker/quota-story.ts'

let cluster: Cluster | undefined
afterEach(async () => {
  await cluster?.close()
  cluster = undefined
})

describe('quotas of a cluster', () => {
  test('are there from the start, may be changed, and are told as Kafka tells them', async () => {
    cluster = await createCluster({
      brokers: 1,
      quotas: [
        { user: 'alice', clientId: null, producerByteRate: 1024, requestPercentage: 50 },
        { clientId: 'reports', consumerByteRate: 2048, controllerMutationRate: 0.5 },
        { ip: '10.0.0.1', connectionCreationRate: 3 },
      ],
    })
    await cluster.quota({ clientId: 'reports' }, { consumerByteRate: null, producerByteRate: 7 })
    expect(await cluster.admin().describeClientQuotas()).toEqual([
      { entity: { user: 'alice', 'client-id': null }, values: { producer_byte_rate: 1024, request_percentage: 50 } },
      { entity: { 'client-id': 'reports' }, values: { producer_byte_rate: 7, controller_mutation_rate: 0.5 } },
      { entity: { ip: '10.0.0.1' }, values: { connection_creation_rate: 3 } },
    ])
  })

  test('outlive the brokers and the controller', async () => {
    cluster = await createCluster({
      brokers: 2,
      topics: { orders: { replicationFactor: 2 } },
      quotas: [{ clientId: 'p', producerByteRate: 1000 }],
    })
    for (const node of [cluster.controller, ...cluster.brokers]) {
      await node.crash()
      await node.restart()
    }
    await cluster.heal()
    const client = await rudeClient(cluster, 'p', { node: cluster.leaderOf('orders', 0).id })
    expect((await sendBytes(client, 12_000)).throttleTimeMs).toBe(2000)
  })

  const wrong: [quota: unknown, complaint: string][] = [
    [{ clientId: 'p', producerByteRate: -1 }, 'quota of client-id p: Quota producer_byte_rate must be greater than 0'],
    [{ clientId: 'p', producerByteRate: 0 }, 'Quota producer_byte_rate must be greater than 0'],
    [{ clientId: 'p', producerByteRate: 0.5 }, 'producer_byte_rate cannot be a fractional value.'],
    [{ clientId: 'p', connectionCreationRate: 1 }, 'Invalid configuration key connection_creation_rate'],
    [{ ip: 'no address', connectionCreationRate: 1 }, 'no address is not a valid IP or resolvable host.'],
    [{ producerByteRate: 1 }, 'Invalid empty client quota entity'],
    [{ user: '', producerByteRate: 1 }, 'Empty user not supported'],
    [{ clientId: 'p', produceByteRate: 1 }, "did you mean 'producerByteRate'?"],
    [{ clientID: 'p', producerByteRate: 1 }, "did you mean 'clientId'?"],
    [{ clientId: 'p', producerByteRate: '1' }, 'producerByteRate is a number, or null for none, not "1"'],
  ]

  test.each(wrong)('%j is refused, and says why', async (quota, complaint) => {
    await expect(createCluster({ brokers: 1, quotas: [quota as QuotaSpec] })).rejects.toThrow(complaint)
    cluster = await createCluster({ brokers: 1 })
    await expect(cluster.quota({}, quota as QuotaSpec)).rejects.toThrow(complaint)
    expect(await cluster.admin().describeClientQuotas()).toEqual([])
  })

  test('take a list', async () => {
    const quotas = { clientId: 'p', producerByteRate: 1 } as never
    await expect(createCluster({ quotas })).rejects.toThrow('quotas takes a list')
  })
})

describe('who watches', () => {
  test('sees in the trace who is throttled, and for how long', async () => {
    cluster = await createCluster({
      brokers: 1,
      topics: { orders: {} },
      quotas: [{ clientId: 'p', producerByteRate: 1000 }],
    })
    await sendBytes(await rudeClient(cluster, 'p'), 12_122)
    const throttled = cluster.trace.events().filter(({ fields }) => fields.what === 'throttled')
    expect(throttled).toMatchObject([{ who: 'broker-1', fields: { peer: 'rude', ms: 2122 } }])
  })

  test('sees the throttle time in the answer that an interceptor gets, and may ask for a longer pause', async () => {
    cluster = await createCluster({
      brokers: 1,
      topics: { orders: {} },
      quotas: [{ clientId: 'p', producerByteRate: 1000 }],
    })
    const seen: number[] = []
    cluster.intercept('Produce', async (_, next) => {
      const answer = (await next()) as { throttleTimeMs: number }
      seen.push(answer.throttleTimeMs)
      return answer as never
    })
    await sendBytes(await rudeClient(cluster, 'p'), 12_122)
    expect(seen).toEqual([2122])
  })

  test('an interceptor that answers itself costs its client nothing', async () => {
    cluster = await createCluster({ brokers: 1, quotas: [{ clientId: 'c', requestPercentage: 0.001 }] })
    const answer = { brokers: [], controllerId: 1, topics: [] }
    const installed = cluster.intercept('Metadata', () => answer as never)
    const client = await rudeClient(cluster, 'c')
    expect((await client.ask(metadata, { topics: [] })).throttleTimeMs).toBe(0)
    installed[Symbol.dispose]()
    expect((await client.ask(metadata, { topics: [] })).throttleTimeMs).toBe(1000)
  })

  test('a broker that dies while it throttles somebody does not answer later', async () => {
    cluster = await createCluster({
      brokers: 1,
      topics: { orders: {} },
      quotas: [{ clientId: 'p', producerByteRate: 1000 }],
    })
    const client = await rudeClient(cluster, 'p')
    await sendBytes(client, 12_122)
    const asked = client.ask(metadata, { topics: [] })
    await cluster.broker(1).crash()
    await expect(asked).rejects.toThrow()
    await cluster.broker(1).restart()
    expect(cluster.partition('orders', 0).endOffset).toBe(1)
  })
})

test('over TCP, too, an answer comes at once, and nothing is read for the time that it names', async () => {
  cluster = await createCluster({
    brokers: 1,
    listen: true,
    topics: { orders: {} },
    quotas: [{ clientId: 'p', producerByteRate: 100_000 }],
  })
  const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers, 'client.id': 'p', 'batch.size': 1 })
  await producer.send({ topic: 'orders', value: 'x'.repeat(990_000) })
  // 20 ms too much; and then more than that.
  await producer.send({ topic: 'orders', value: 'x'.repeat(12_000) })
  const before = cluster.clock.now()
  await producer.send({ topic: 'orders', value: 'x'.repeat(10_000) })
  await producer.send({ topic: 'orders', value: 'x' })
  expect(cluster.clock.now() - before).toBeGreaterThanOrEqual(100)
  expect(producer.metrics()['produce-throttle-time-max']).toBeGreaterThan(50)
  await producer.close()
})

import { afterEach, describe, expect, test } from 'vitest'
import { apiVersions } from '../../src/apis/api-versions.ts'
import { type Cluster, createCluster } from '../../src/index.ts'
import { Connection } from '../../src/network/connection.ts'
import { TcpCarrier } from '../../src/network/tcp.ts'
import { RealRuntime } from '../../src/runtime/real.ts'
import { rudeClient } from './quota-story.ts'

let cluster: Cluster
afterEach(() => cluster.close())

const question = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }

/** Connects, and asks something: answers how long that took, or that the connection was closed. */
async function attempt(host: string): Promise<number | 'closed'> {
  const client = await rudeClient(cluster, 'c', { host })
  try {
    return (await client.ask(apiVersions, question)).tookMs
  } catch {
    return 'closed'
  }
}

describe('connection_creation_rate of an address (M-30, KIP-612)', () => {
  test('ten seconds’ worth at once; the next are closed after a second without an answer', async () => {
    cluster = await createCluster({ brokers: 1, quotas: [{ ip: '10.0.0.1', connectionCreationRate: 1 }] })
    for (let i = 0; i < 10; i++) expect(await attempt('10.0.0.1')).toBeLessThanOrEqual(2)
    const before = cluster.clock.now()
    expect(await attempt('10.0.0.1')).toBe('closed')
    // A tenth too many, of ten seconds.
    const tookMs = cluster.clock.now() - before
    expect(tookMs).toBeGreaterThan(960)
    expect(tookMs).toBeLessThanOrEqual(1003)
    expect(await attempt('10.0.0.2')).toBeLessThanOrEqual(2)
    // Who is turned away does not count: after ten seconds there is room for those that have made way.
    await cluster.clock.advance(11_000)
    expect(await attempt('10.0.0.1')).toBeLessThanOrEqual(2)
  })

  test('a default is everybody’s own, and localhost is 127.0.0.1', async () => {
    cluster = await createCluster({
      brokers: 1,
      quotas: [
        { ip: null, connectionCreationRate: 1 },
        { ip: 'localhost', connectionCreationRate: 1000 },
      ],
    })
    for (const host of ['10.0.0.1', '10.0.0.2']) {
      for (let i = 0; i < 10; i++) expect(await attempt(host)).toBeLessThanOrEqual(2)
      expect(await attempt(host)).toBe('closed')
    }
    for (let i = 0; i < 15; i++) expect(await attempt('127.0.0.1')).toBeLessThanOrEqual(2)
  })

  test('brokers reach each other, whatever it says', async () => {
    cluster = await createCluster({ brokers: 3, quotas: [{ ip: null, connectionCreationRate: 1 }] })
    await cluster.createTopic({ name: 't', partitions: 6, replicationFactor: 3 })
    for (const broker of cluster.brokers) {
      await broker.crash()
      await broker.restart()
    }
    await cluster.runUntil(() => cluster.partition('t', 0).inSyncReplicas.length === 3)
  })
})

describe('max.connection.creation.rate of a broker', () => {
  test('who comes too early is accepted later, in order, and nobody is turned away', async () => {
    cluster = await createCluster({ brokers: 1, configs: { 'max.connection.creation.rate': 2 } })
    const admin = cluster.admin()
    const times: (number | 'closed')[] = []
    for (let i = 0; i < 24; i++) times.push(await attempt('10.0.0.1'))
    expect(times.slice(0, 18)).toEqual(times.slice(0, 18).filter(ms => ms !== 'closed' && ms <= 2))
    expect(times).not.toContain('closed')
    // Half a second for each that is too many, since two may come in one.
    expect(times[23]).toBeGreaterThan(400)
    expect(times[23]).toBeLessThanOrEqual(1002)
    // A limit that is raised holds from then on (it is dynamic).
    const operations = [{ name: 'max.connection.creation.rate', value: 1000 }]
    await admin.incrementalAlterConfigs([{ resource: { type: 'broker', name: '' }, operations }])
    for (let i = 0; i < 5; i++) expect(await attempt('10.0.0.1')).toBeLessThanOrEqual(2)
  })
})

describe('the rate of a listener', () => {
  test('who comes too early over TCP is accepted later', async () => {
    cluster = await createCluster({ brokers: 1, listen: { maxConnectionCreationRate: 1 } })
    const runtime = new RealRuntime({ seed: 1 })
    const carrier = new TcpCarrier({ runtime })
    const connect = async () => {
      const connection = new Connection(await carrier.connect('c', cluster.broker(1).address), {
        runtime,
        clientId: 'c',
      })
      const before = runtime.now()
      await connection.request(apiVersions, 3, question, 10_000)
      connection.close()
      return runtime.now() - before
    }
    await Promise.all(Array.from({ length: 10 }, connect))
    expect(await connect()).toBeGreaterThan(500)
    await carrier.close()
  })

  test('is a whole number', async () => {
    cluster = await createCluster({ brokers: 1 })
    for (const maxConnectionCreationRate of [0, 0.5, '1' as never]) {
      await expect(createCluster({ listen: { maxConnectionCreationRate } })).rejects.toThrow(
        'maxConnectionCreationRate is a whole number, 1 or more',
      )
    }
  })
})

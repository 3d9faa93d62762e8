import { afterEach, expect, test } from 'vitest'
import { type Cluster, createCluster } from '../../src/index.ts'

let cluster: Cluster
afterEach(() => cluster.close())

const BATCH = 10_000
const BATCHES = 30

/** A follower that was away while 300 kB were written comes back: how long it takes to catch up, in milliseconds. */
async function catchUp(side: 'leader' | 'follower', replicas: string): Promise<number> {
  cluster = await createCluster({
    brokers: 2,
    configs: { 'replica.fetch.max.bytes': BATCH, 'replica.fetch.response.max.bytes': BATCH },
    topics: {
      t: { assignments: [[1, 2]], configs: { [`${side}.replication.throttled.replicas`]: replicas } as never },
    },
  })
  const admin = cluster.admin()
  for (const broker of [1, 2]) {
    const operations = [{ name: `${side}.replication.throttled.rate`, value: 20_000 }]
    await admin.incrementalAlterConfigs([{ resource: { type: 'broker', name: `${broker}` }, operations }])
  }
  await cluster.broker(2).crash()
  const producer = cluster.producer({ acks: 1 })
  for (let i = 0; i < BATCHES; i++) await producer.send({ topic: 't', value: Buffer.alloc(BATCH - 200) })
  await cluster.broker(2).restart()
  const before = cluster.clock.now()
  await cluster.runUntil(() => cluster.partition('t', 0).inSyncReplicas.length === 2, { timeoutMs: 120_000 })
  return cluster.clock.now() - before
}

test.each(['leader', 'follower'] as const)(
  'a follower catches up no faster than the %s’s rate (KIP-73)',
  async side => {
    const tookMs = await catchUp(side, side === 'leader' ? '0:1' : '0:2')
    // 300 kB at 20 kB a second.
    expect(tookMs).toBeGreaterThan(10_000)
    expect(tookMs).toBeLessThan(25_000)
  },
)

test('replicas that the topic does not name are not held back', async () => {
  expect(await catchUp('leader', '0:2')).toBeLessThan(3000)
})

test('one that is in sync is never held back', async () => {
  await catchUp('leader', '*')
  const producer = cluster.producer({ acks: 'all' })
  const before = cluster.clock.now()
  for (let i = 0; i < 20; i++) await producer.send({ topic: 't', value: Buffer.alloc(BATCH - 200) })
  expect(cluster.clock.now() - before).toBeLessThan(1000)
})

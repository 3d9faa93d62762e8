import { expect, test } from 'vitest'
import { createCluster } from '../../src/index.ts'
test('x', async () => {
  await using cluster = await createCluster({ topics: { orders: { partitions: 2, replicationFactor: 3 } } })
  const producer = cluster.producer({ acks: 'all' })
  await producer.send({ topic: 'orders', partition: 0, key: 'a', value: '{"b":1}', headers: { x: 'y' } })
  console.log(await cluster.topic('orders').records())
  console.log(cluster.requests({ from: 'clients' }).map(r => [r.api, r.from, r.to, r.outcome, r.errors]))
})

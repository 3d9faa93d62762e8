import { test } from 'vitest'
import { createCluster } from '../../src/index.ts'
test('x', async () => {
const c = await createCluster({ brokers: 3, topics: { t: { partitions: 1, replicationFactor: 3 } } })
console.log(c.partition('t', 0))
await c.close()
})

import IoredisMock from 'ioredis-mock'
import { expect, test, vi } from 'vitest'
import { faultyLogs } from '../../src/log/faulty-store.ts'
import { redisLogs } from '../../src/redis.ts'
import { batchOf } from '../../src/wire/batch-builder.ts'
import { storeContract } from '../log/store-contract.ts'
import { bytesContract } from './bytes-contract.ts'

let keyspaces = 0
// Each instance listens to what all of them share.
const client = new IoredisMock()
const stores = () => redisLogs(client, { keyspace: `mock-${keyspaces++}` })

storeContract('a store in ioredis-mock', stores, { powerOff: false })
storeContract('a faulty store without faults, in ioredis-mock', () => faultyLogs(stores()), { powerOff: false })
bytesContract('a store in ioredis-mock', stores)

test('on ioredis-mock, too, the channel of a stream tells its new end', async () => {
  const ears = new IoredisMock()
  const told: string[] = []
  ears.on('message', (channel: string, end: string) => void told.push(`${channel} ${end}`))
  await ears.subscribe('told:stream:orders:0')
  const logs = redisLogs(client, { keyspace: 'told' })
  const replica = { broker: 1, topic: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partition: 0, isFirst: true }
  const store = logs.store(replica)
  await store.open()
  await store.append(0, batchOf([{ value: 'a' }, { value: 'b' }], { leaderEpoch: 1, timestamp: 1_000 }))
  await vi.waitFor(() => expect(told).toEqual(['told:stream:orders:0 2']))
  await logs.close()
  ears.disconnect()
})

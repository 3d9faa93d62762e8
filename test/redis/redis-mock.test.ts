import IoredisMock from 'ioredis-mock'
import { redisLogs } from '../../src/redis.ts'
import { storeContract } from '../log/store-contract.ts'
import { bytesContract } from './bytes-contract.ts'

let keyspaces = 0
// Each instance listens to what all of them share.
const client = new IoredisMock()
const stores = () => redisLogs(client, { keyspace: `mock-${keyspaces++}` })

storeContract('a store in ioredis-mock', stores, { powerOff: false })
bytesContract('a store in ioredis-mock', stores)

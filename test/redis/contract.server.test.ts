import { Cluster, type Redis } from 'ioredis'
import { Redis as Redis6 } from 'ioredis-6'
import { afterAll, beforeAll } from 'vitest'
import { faultyLogs } from '../../src/log/faulty-store.ts'
import { redisLogs } from '../../src/redis.ts'
import { storeContract } from '../log/store-contract.ts'
import { bytesContract } from './bytes-contract.ts'
import { type RedisServer, RedisServers } from './servers.ts'

const servers = new RedisServers()
let server: RedisServer
let single: Redis
let piping: Redis
let six: Redis6
let cluster: Cluster
let keyspaces = 0
const keyspace = () => `contract-${keyspaces++}`

beforeAll(async () => {
  server = await servers.server()
  single = server.client()
  piping = server.client({ enableAutoPipelining: true })
  six = new Redis6(server.port, server.host)
  const nodes = await servers.cluster()
  cluster = new Cluster(nodes.map(({ host, port }) => ({ host, port })))
})

afterAll(async () => {
  for (const client of [single, piping, six, cluster]) client?.disconnect()
  await servers.stop()
})

const once = { powerOff: false, runs: 60 }
storeContract('a store in a Redis server', () => redisLogs(single, { keyspace: keyspace() }), once)
storeContract('a store in a Redis server, by auto-pipelining', () => redisLogs(piping, { keyspace: keyspace() }), once)
storeContract('a store in a Redis server, by ioredis 6', () => redisLogs(six, { keyspace: keyspace() }), once)
storeContract('a store in a Redis Cluster of three nodes', () => redisLogs(cluster, { keyspace: keyspace() }), once)
storeContract(
  'a faulty store without faults, in a Redis server',
  () => faultyLogs(redisLogs(single, { keyspace: keyspace() })),
  once,
)

bytesContract('a store in a Redis server', () => redisLogs(single, { keyspace: keyspace() }))
bytesContract('a store in a Redis Cluster of three nodes', () => redisLogs(cluster, { keyspace: keyspace() }))

/** A cluster in a process of its own, which can be killed: prints its bootstrap servers, then whatever goes wrong. */
import { Cluster, Redis } from 'ioredis'

const { folder, nodes, sentinels, redis = {}, logs = {}, cluster: options } = JSON.parse(process.argv[2])
const { createCluster } = await import(`${folder}/index.js`)
const { redisLogs } = await import(`${folder}/redis.js`)

const client = sentinels
  ? new Redis({ sentinels, name: 'mini', ...redis })
  : nodes.length === 1
    ? new Redis(nodes[0].port, nodes[0].host, { retryStrategy: () => 20, ...redis })
    : new Cluster(nodes, redis)
client.on('error', () => {})
try {
  const cluster = await createCluster({ listen: true, ...options, logs: redisLogs(client, logs) })
  console.log(`bootstrap.servers=${cluster.bootstrapServers}`)
  process.once('SIGTERM', async () => {
    await cluster.close()
    client.disconnect()
  })
} catch (error) {
  console.log(`${error.name}: ${error.message}`)
  process.exit(1)
}

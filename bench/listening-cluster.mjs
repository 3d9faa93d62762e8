// A cluster for loads from other processes: its first line is its bootstrap servers, SIGTERM ends it.
// node bench/listening-cluster.mjs [brokers, default 1] [replication factor, default 1]
import { createCluster } from 'mini-kafka'

const [brokers = '1', replicationFactor = '1'] = process.argv.slice(2)
const cluster = await createCluster({
  listen: true,
  brokers: Number(brokers),
  topics: { bench: { partitions: 4, replicationFactor: Number(replicationFactor) } },
  configs: {
    'log.retention.bytes': 64 * 1024 * 1024,
    'log.segment.bytes': 16 * 1024 * 1024,
    'log.retention.check.interval.ms': 1000,
    'log.initial.task.delay.ms': 0,
  },
  trace: { limit: 0 },
})
console.log(cluster.bootstrapServers)
process.on('SIGTERM', async () => {
  const { rss, arrayBuffers } = process.memoryUsage()
  console.error(`resident ${Math.round(rss / 2 ** 20)} MB, buffers ${Math.round(arrayBuffers / 2 ** 20)} MB`)
  await cluster.close()
})

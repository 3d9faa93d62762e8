// One broker that asks who is there, for loads from other processes: its first line is its bootstrap servers, SIGTERM ends it.
// What it speaks is in the environment, as bench/security.mjs says.
import { readFileSync } from 'node:fs'
import { createCluster } from 'mini-kafka'

const { BENCH_TLS_CERT: cert, BENCH_TLS_KEY: key, BENCH_SASL: mechanism } = process.env
const cluster = await createCluster({
  brokers: 1,
  listen: {
    ...(cert === undefined ? {} : { tls: { cert: readFileSync(cert), key: readFileSync(key) } }),
    ...(mechanism === undefined ? {} : { sasl: { users: { alice: 'secret' }, mechanisms: [mechanism] } }),
  },
  topics: { bench: { partitions: 4 } },
  configs: { 'log.retention.bytes': 64 * 1024 * 1024, 'log.segment.bytes': 16 * 1024 * 1024 },
  trace: { limit: 0 },
})
console.log(cluster.bootstrapServers)
process.on('SIGTERM', () => cluster.close())

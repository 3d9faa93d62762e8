// Resident memory of a listening cluster while 1 GB is produced to it from another process, with retention at 64 MB: flat.
// node bench/memory.mjs [megabytes, default 1024]. Here is the producer; the brokers are a process of their own, which says
// what it holds: resident, in buffers, and in the log (retention counts whole segments of 8 MB, four times a second).
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createCluster, Producer } from 'mini-kafka'

const MB = 2 ** 20
const RECORD_BYTES = 1000
const configs = { 'retention.bytes': 64 * MB, 'segment.bytes': 8 * MB }

async function serve(replicationFactor) {
  const cluster = await createCluster({
    listen: true,
    brokers: replicationFactor,
    topics: { bench: { partitions: 1, replicationFactor, configs } },
    trace: { limit: 0 },
  })
  process.send({ servers: cluster.bootstrapServers })
  process.on('message', async what => {
    if (what === 'close') {
      await cluster.close()
      process.disconnect()
      return
    }
    const { rss, arrayBuffers } = process.memoryUsage()
    const [log] = cluster.partition('bench', 0).replicaLogs.values()
    const kept = log.segments.reduce((sum, { size }) => sum + size, 0)
    process.send({ rss: rss / MB, arrayBuffers: arrayBuffers / MB, kept: kept / MB })
  })
}

async function load(replicationFactor, megabytes) {
  const child = fork(fileURLToPath(import.meta.url), ['serve', `${replicationFactor}`])
  const [{ servers }] = await once(child, 'message')
  const producer = new Producer({ 'bootstrap.servers': servers, acks: 'all', 'batch.size': 256 * 1024, 'linger.ms': 5 })
  const value = new Uint8Array(RECORD_BYTES)
  const steps = 8
  const rows = []
  for (let step = 0; step <= steps; step++) {
    if (step > 0) {
      const count = Math.round((megabytes * MB) / steps / RECORD_BYTES)
      for (let sent = 1; sent <= count; sent++) {
        const done = producer.send({ topic: 'bench', partition: 0, value })
        if (sent % 5_000 === 0 || sent === count) await done
      }
    }
    child.send('how much?')
    const [{ rss, arrayBuffers, kept }] = await once(child, 'message')
    rows.push({ produced: (megabytes * step) / steps, resident: rss, buffers: arrayBuffers, log: kept })
  }
  await producer.close()
  child.send('close')
  await once(child, 'exit')
  return rows
}

const [first = '1024', second] = process.argv.slice(2)
if (first === 'serve') await serve(Number(second))
else {
  for (const replicationFactor of [1, 3]) {
    const rows = await load(replicationFactor, Number(first))
    console.log(`MB, replication factor ${replicationFactor}, retention.bytes 64 MB`)
    for (const name of ['produced', 'resident', 'buffers', 'log']) {
      const row = rows.map(figures => `${Math.round(figures[name])}`.padStart(6)).join('')
      console.log(`  ${name.padEnd(10)}${row}`)
    }
  }
}

// What a cluster costs: `npm run bench`. Medians of several rounds; machines differ, so look at ratios between figures.
import { performance } from 'node:perf_hooks'
import { createCluster } from 'mini-kafka'

const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const report = (what, value, unit, goal) =>
  console.log(`${what.padEnd(58)} ${String(value).padStart(12)} ${unit.padEnd(10)} goal ${goal}`)
const topic = replicationFactor => ({ partitions: 1, replicationFactor })

async function timed(run) {
  const from = performance.now()
  await run()
  return performance.now() - from
}

async function starts() {
  for (let i = 0; i < 1500; i++) await (await createCluster()).close()
  const rounds = []
  for (let i = 0; i < 300; i++) {
    let cluster
    rounds.push(await timed(async () => (cluster = await createCluster())))
    await cluster.close()
  }
  report('start of 3 brokers, warm', median(rounds).toFixed(2), 'ms', '≤ 1 ms')
}

async function firstAnswers() {
  const rounds = []
  for (let i = 0; i < 600; i++) {
    const cluster = await createCluster({ topics: { t: topic(3) } })
    const producer = cluster.producer({ acks: 'all' })
    rounds.push(await timed(() => producer.send({ topic: 't', value: 'first' })))
    await cluster.close()
  }
  report('first acks=all answer, 3 replicas, warm', median(rounds.slice(300)).toFixed(2), 'ms', '≤ 1.5 ms')
}

async function throughput(replicationFactor, goal) {
  const value = new Uint8Array(100)
  const rounds = []
  for (let round = 0; round < 7; round++) {
    const cluster = await createCluster({ topics: { t: topic(replicationFactor) }, trace: { limit: 0 } })
    const producer = cluster.producer({ acks: 'all' })
    await producer.send({ topic: 't', value })
    const count = 300_000
    const ms = await timed(async () => {
      const sends = new Array(1000)
      for (let sent = 0; sent < count; sent += sends.length) {
        for (let i = 0; i < sends.length; i++) sends[i] = producer.send({ topic: 't', value })
        if (sent % 50_000 === 0) await Promise.all(sends)
      }
      await producer.flush()
    })
    rounds.push((count / ms) * 1000)
    await cluster.close()
  }
  report(
    `records/s, 100 B, acks=all, in process, RF ${replicationFactor}`,
    Math.round(median(rounds)).toLocaleString('en'),
    '/s',
    goal,
  )
}

async function manyClusters() {
  const ms = await timed(async () => {
    for (let i = 0; i < 1000; i++) await (await createCluster()).close()
  })
  report('1,000 clusters of 3 brokers, started and closed', Math.round(ms), 'ms', '< 1,000 ms')
}

async function idleMemory() {
  if (globalThis.gc === undefined) return
  const heap = () => {
    globalThis.gc()
    globalThis.gc()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const before = heap()
  const clusters = []
  for (let i = 0; i < 50; i++) clusters.push(await createCluster({ topics: { t: topic(3) } }))
  const each = (heap() - before) / clusters.length / 1024
  report('memory of an idle cluster with a topic', Math.round(each), 'KiB', '≤ 1,024 KiB')
  for (const cluster of clusters) await cluster.close()
}

async function idleDays() {
  const cluster = await createCluster({ topics: { t: topic(3) } })
  await cluster.producer().send({ topic: 't', value: 'kept' })
  const ms = await timed(() => cluster.clock.advance(7 * 24 * 3600 * 1000))
  report('seven idle virtual days', ms.toFixed(1), 'ms', '< 1,000 ms')
  await cluster.close()
}

await starts()
await firstAnswers()
await manyClusters()
await idleMemory()
await idleDays()
await throughput(1, '≥ 1,000,000')
await throughput(3, '≥ 600,000')

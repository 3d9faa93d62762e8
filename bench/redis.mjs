// Logs in Redis: batches appended to a stream and read from it by our store, against the same batches through the same client of
// ioredis with plain XADD and XRANGE, 16 in flight on both sides; and records per second through a producer with acks=all.
//   node bench/redis.mjs [PORT]      of a server that is running and empty; without one it starts redis-server by itself
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { createCluster } from 'mini-kafka'
import { redisLogs } from 'mini-kafka/redis'
import { batchOf } from '../dist/esm/wire/batch-builder.js'

const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const whole = value => Math.round(value).toLocaleString('en')
const ROUNDS = 7
const IN_FLIGHT = 16
const VALUE_BYTES = 100
const replica = { broker: 1, topic: 'bench', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partition: 0, isFirst: true }

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}

async function connected(port) {
  for (let left = 100; left > 0; left--) {
    const client = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null })
    client.on('error', () => {})
    try {
      await client.connect()
      return client
    } catch {
      await sleep(50)
    }
  }
  throw new Error(`no Redis answers on port ${port}`)
}

function batches(count, records) {
  const some = Array.from({ length: records }, () => ({ key: null, value: Buffer.alloc(VALUE_BYTES, 'v') }))
  const first = batchOf(some, { leaderEpoch: 1, timestamp: 1_000 })
  return Array.from({ length: count }, (_, n) => first.placedAt(n * records, 1))
}

/** So many in flight at a time, in order. */
async function inFlight(from, to, one) {
  const waiting = []
  for (let n = from; n < to; n++) {
    waiting.push(one(n))
    if (waiting.length >= IN_FLIGHT) await waiting.shift()
  }
  await Promise.all(waiting)
}

const SLICES = 10

/** Milliseconds of each of two loads, in slices that take turns: whatever else goes on meets both. */
async function beside(count, ...loads) {
  const took = loads.map(() => 0)
  const step = Math.ceil(count / SLICES)
  for (let from = 0; from < count; from += step) {
    for (const [at, load] of loads.entries()) {
      const started = performance.now()
      await load(from, Math.min(count, from + step))
      took[at] += performance.now() - started
    }
  }
  return took
}

async function round(client, records, all) {
  const raw = all.map(batch => Buffer.concat([batch.head, batch.body]))
  await client.flushall()
  const logs = redisLogs(client, { keyspace: 'bench' })
  const store = logs.store(replica)
  await store.open()
  const appended = await beside(
    all.length,
    (from, to) => inFlight(from, to, n => client.xadd('raw', all[n].nextOffset, 'b', raw[n])),
    (from, to) => inFlight(from, to, n => store.append(n * records, all[n])),
  )
  const bytes = 1 << 20
  const many = Math.max(1, Math.floor(bytes / all[0].size))
  const read = await beside(
    all.length,
    async (from, to) => {
      for (let n = from; n < to; n += many) {
        await client.xrangeBuffer('raw', n * records + 1, '+', 'COUNT', Math.min(many, to - n))
      }
    },
    async (from, to) => {
      for (let n = from; n < to; n += many) await store.read(n * records, Math.min(many, to - n) * all[0].size)
    },
  )
  await logs.close()
  const rates = [...appended, ...read].map(ms => (all.length / ms) * 1000)
  return { 'raw XADD': rates[0], 'our append': rates[1], 'raw XRANGE': rates[2], 'our read': rates[3] }
}

/** Ours beside raw: rates of batches, and ours as a part of raw. */
function report(records, rounds) {
  const of = name => median(rounds.map(rates => rates[name]))
  for (const [ours, raw] of [
    ['our append', 'raw XADD'],
    ['our read', 'raw XRANGE'],
  ]) {
    const ratio = median(rounds.map(rates => rates[ours] / rates[raw]))
    console.log(
      `batches of ${records}: ${ours} ${whole(of(ours))}/s (${whole(of(ours) * records)} records/s), ${raw} ${whole(of(raw))}/s: ${ratio.toFixed(2)}`,
    )
  }
}

async function throughProducer(client, replicationFactor) {
  const rates = []
  for (let round = 0; round < 3; round++) {
    await client.flushall()
    const cluster = await createCluster({
      topics: { bench: { partitions: 4, replicationFactor } },
      trace: { limit: 0 },
      logs: redisLogs(client),
    })
    const producer = cluster.producer({ acks: 'all', 'linger.ms': 5, 'batch.size': 65_536 })
    const value = Buffer.alloc(VALUE_BYTES, 'v')
    const send = n => producer.send({ topic: 'bench', partition: n % 4, value })
    await Promise.all(Array.from({ length: 5_000 }, (_, n) => send(n)))
    const count = 100_000
    const started = performance.now()
    await Promise.all(Array.from({ length: count }, (_, n) => send(n)))
    rates.push((count / (performance.now() - started)) * 1000)
    await cluster.close()
  }
  console.log(`through a producer, acks=all, RF ${replicationFactor}: ${whole(median(rates))} records/s`)
}

const given = process.argv[2]
const port = given === undefined ? await freePort() : Number(given)
const settings = ['--port', `${port}`, '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1']
const server = given === undefined ? spawn('redis-server', settings, { stdio: 'ignore' }) : undefined
try {
  const client = await connected(port)
  for (const [records, count] of [
    [1, 20_000],
    [100, 8_000],
    [1_000, 1_000],
  ]) {
    const all = batches(count, records)
    const rounds = []
    for (let n = 0; n < ROUNDS; n++) rounds.push(await round(client, records, all))
    report(records, rounds.slice(1))
  }
  for (const replicationFactor of [1, 3]) await throughProducer(client, replicationFactor)
  client.disconnect()
} finally {
  server?.kill()
}

// What a client of another process gets over TCP on loopback: our producer here, the brokers in a process of their own.
// Medians of several rounds; two processes share the machine, so look at ratios between figures.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Consumer, Producer } from 'mini-kafka'

const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const quantile = (values, q) => values.toSorted((a, b) => a - b)[Math.floor(values.length * q)]
const whole = value => Math.round(value).toLocaleString('en')

async function served(brokers, replicationFactor, run) {
  const script = fileURLToPath(new URL('listening-cluster.mjs', import.meta.url))
  const child = spawn(process.execPath, [script, `${brokers}`, `${replicationFactor}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [servers] = await once(createInterface({ input: child.stdout }), 'line')
  await run({ 'bootstrap.servers': servers })
  child.kill('SIGTERM')
  await once(child, 'exit')
}

async function produce(servers, size) {
  const producer = new Producer({ ...servers, acks: 'all', 'batch.size': 256 * 1024, 'linger.ms': 5 })
  const value = new Uint8Array(size)
  const count = size < 500 ? 400_000 : 100_000
  const rounds = []
  for (let round = 0; round < 5; round++) {
    const from = performance.now()
    let last
    for (let sent = 1; sent <= count; sent++) {
      last = producer.send({ topic: 'bench', partition: 0, value })
      if (sent % 20_000 === 0) await last
    }
    await last
    rounds.push(performance.now() - from)
  }
  await producer.close()
  return (count / median(rounds.slice(1))) * 1000
}

async function consume(servers, count) {
  const consumer = new Consumer({ ...servers, 'auto.offset.reset': 'earliest', 'max.poll.records': 5_000 })
  consumer.assign([{ topic: 'bench', partition: 0 }])
  const from = performance.now()
  let read = 0
  while (read < count) for (const _ of await consumer.poll({ timeoutMs: 1_000 })) read++
  const ms = performance.now() - from
  await consumer.close()
  return (read / ms) * 1000
}

async function lone(servers) {
  const producer = new Producer({ ...servers, acks: 'all', 'linger.ms': 0 })
  const times = []
  for (let i = 0; i < 3_000; i++) {
    const from = performance.now()
    await producer.send({ topic: 'bench', partition: 1, value: 'lone' })
    times.push(performance.now() - from)
  }
  await producer.close()
  const late = times.slice(500)
  return { p50: quantile(late, 0.5), p99: quantile(late, 0.99) }
}

for (const [brokers, replicationFactor] of [
  [1, 1],
  [3, 3],
]) {
  await served(brokers, replicationFactor, async servers => {
    const name = `TCP, acks=all, RF ${replicationFactor}`
    const { p50, p99 } = await lone(servers)
    console.log(`${name}: a lone record, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`)
    for (const size of [100, 1000])
      console.log(`${name}: produce ${whole(await produce(servers, size))} records/s of ${size} B`)
    console.log(`${name}: consume ${whole(await consume(servers, 50_000))} records/s of 1000 B`)
  })
}

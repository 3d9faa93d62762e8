// Transactions per second with our producer: in process, and over TCP, where brokers of others can stand beside ours.
//   node bench/transactions.mjs [NAME=COMMAND …]
// COMMAND starts a broker that owns a topic `bench` with 4 partitions, prints its bootstrap servers on its first line, and
// ends on SIGTERM. Rounds of all of them are interleaved; medians, and ratios to ours.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createCluster, Producer } from 'mini-kafka'

const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const whole = value => Math.round(value).toLocaleString('en')
const ROUNDS = 4
const value = new Uint8Array(100)
const loads = [1, 8].flatMap(producers => [1, 100].map(records => ({ producers, records })))
const named = ({ producers, records }) =>
  `${producers} producer${producers === 1 ? '' : 's'}, ${records} record${records === 1 ? '' : 's'}`

/**
 * kfake takes as producer id the 63-bit hash (FNV-1) of the transactional id; our clients refuse what is beyond 2^53, as no
 * other broker comes there. So the ids of this load are some that suit it.
 */
function* transactionalIds() {
  for (let n = 0; ; n++) {
    const id = `bench-${n}`
    let hash = 0xcbf29ce484222325n
    for (const byte of Buffer.from(id)) hash = BigInt.asUintN(64, hash * 0x100000001b3n) ^ BigInt(byte)
    if (BigInt.asUintN(63, hash) < 2n ** 53n) yield id
  }
}

const ids = transactionalIds()

async function transactions(producer, records, isOver) {
  let count = 0
  while (!isOver(count)) {
    await producer.beginTransaction()
    for (let n = 0; n < records; n++) void producer.send({ topic: 'bench', partition: n % 4, value })
    await producer.commitTransaction()
    count++
  }
  return count
}

/** Transactions per second of producers that each make one after the other. */
async function rate(connect, { producers, records }, isOver) {
  const all = Array.from({ length: producers }, () => connect({ 'transactional.id': ids.next().value, 'linger.ms': 0 }))
  await Promise.all(all.map(producer => producer.initTransactions()))
  await Promise.all(all.map(producer => transactions(producer, records, count => count === 3)))
  const from = performance.now()
  const over = isOver(from)
  const counts = await Promise.all(all.map(producer => transactions(producer, records, over)))
  const ms = performance.now() - from
  await Promise.all(all.map(producer => producer.close()))
  return (counts.reduce((sum, count) => sum + count, 0) / ms) * 1000
}

async function inProcess(replicationFactor, load) {
  const rates = []
  const perProducer = 1600 / load.producers
  for (let round = 0; round < ROUNDS; round++) {
    const cluster = await createCluster({
      topics: { bench: { partitions: 4, replicationFactor } },
      trace: { limit: 0 },
    })
    rates.push(
      await rate(
        config => cluster.producer(config),
        load,
        () => count => count === perProducer,
      ),
    )
    await cluster.close()
  }
  console.log(`in process, RF ${replicationFactor}, ${named(load)}: ${whole(median(rates.slice(1)))} transactions/s`)
}

async function start(command) {
  const child = spawn('bash', ['-c', `exec ${command}`], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const stop = async () => {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  return { servers: line, stop }
}

const FOR_MS = 1500
/** Compilers of both sides have their say first. */
const WARM_UP_MS = 3000

async function overTcp(peers) {
  const rates = new Map()
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, command] of peers) {
      const { servers, stop } = await start(command)
      try {
        const connect = config => new Producer({ ...config, 'bootstrap.servers': servers })
        await rate(connect, { producers: 8, records: 10 }, from => () => performance.now() - from > WARM_UP_MS)
        for (const load of loads) {
          const perSecond = await rate(connect, load, from => () => performance.now() - from > FOR_MS)
          const key = `${named(load)}, ${name}`
          rates.set(key, [...(rates.get(key) ?? []), perSecond])
        }
      } finally {
        await stop()
      }
    }
  }
  for (const load of loads) {
    const ours = median(rates.get(`${named(load)}, ours`))
    for (const [name] of peers) {
      const perSecond = median(rates.get(`${named(load)}, ${name}`))
      console.log(
        `TCP, ${named(load)}: ${name} ${whole(perSecond)} transactions/s (${(perSecond / ours).toFixed(2)} of ours)`,
      )
    }
  }
}

const others = process.argv.slice(2).map(argument => {
  const at = argument.indexOf('=')
  return [argument.slice(0, at), argument.slice(at + 1)]
})
const listening = fileURLToPath(new URL('listening-cluster.mjs', import.meta.url))
const ours = ['ours', `${process.execPath} ${listening} 1 1`]

for (const replicationFactor of [1, 3]) for (const load of loads) await inProcess(replicationFactor, load)
await overTcp([ours, ...others])

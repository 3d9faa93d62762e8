// What a cluster costs: `npm run bench`. Medians of several rounds; machines differ, so look at ratios between figures.
// Beside the time by the clock stands the processor time of the whole process, garbage collection included: on a machine
// that does other work too, believe that one.
import { performance } from 'node:perf_hooks'
import { createCluster } from 'mini-kafka'

const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const whole = value => Math.round(value).toLocaleString('en')
const topic = replicationFactor => ({ partitions: 1, replicationFactor })

function report(what, { clock, cpu = '', unit, goal, limit }) {
  const figures = `${clock.padStart(10)} ${unit.padEnd(4)} ${cpu === '' ? ''.padEnd(22) : `by cpu ${cpu.padStart(10)} ${unit.padEnd(4)}`}`
  console.log(`${what.padEnd(48)} ${figures} goal ${goal}\n    limited by ${limit}`)
}

/** Milliseconds by the clock and of the processor. */
async function timed(run) {
  const from = performance.now()
  const before = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(before)
  return { clock: performance.now() - from, cpu: (user + system) / 1000 }
}

function medians(rounds) {
  return { clock: median(rounds.map(({ clock }) => clock)), cpu: median(rounds.map(({ cpu }) => cpu)) }
}

async function starts(what, options, warmUps, { goal, limit }) {
  for (let i = 0; i < warmUps; i++) await (await createCluster(options)).close()
  const rounds = []
  for (let i = 0; i < 300; i++) {
    let cluster
    rounds.push(
      await timed(async () => {
        cluster = await createCluster(options)
      }),
    )
    await cluster.close()
  }
  const { clock, cpu } = medians(rounds)
  report(what, { clock: clock.toFixed(2), cpu: cpu.toFixed(2), unit: 'ms', goal, limit })
}

async function firstAnswers() {
  const rounds = []
  for (let i = 0; i < 600; i++) {
    const cluster = await createCluster({ topics: { t: topic(3) } })
    const producer = cluster.producer({ acks: 'all' })
    rounds.push(await timed(() => producer.send({ topic: 't', value: 'first' })))
    await cluster.close()
  }
  const { clock, cpu } = medians(rounds.slice(300))
  report('first acks=all answer, 3 replicas, warm', {
    clock: clock.toFixed(2),
    cpu: cpu.toFixed(2),
    unit: 'ms',
    goal: '≤ 1.5 ms',
    limit: 'round trips: versions, metadata, producer id, Produce, and two fetches of each follower',
  })
}

const RECORDS = 300_000
/** How many sends are made before they are awaited: what is in flight outlives scavenges, and is paid for twice. */
const IN_FLIGHT = 10_000

async function throughput(replicationFactor, goal, limit) {
  const value = new Uint8Array(100)
  const rounds = []
  for (let round = 0; round < 9; round++) {
    const cluster = await createCluster({ topics: { t: topic(replicationFactor) }, trace: { limit: 0 } })
    const producer = cluster.producer({ acks: 'all' })
    await producer.send({ topic: 't', value })
    rounds.push(
      await timed(async () => {
        // Records of one partition settle in order: the last one speaks for all.
        let last
        for (let sent = 1; sent <= RECORDS; sent++) {
          last = producer.send({ topic: 't', value })
          if (sent % IN_FLIGHT === 0) await last
        }
        await last
      }),
    )
    await cluster.close()
  }
  // The first two rounds warm up.
  const { clock, cpu } = medians(rounds.slice(2))
  report(`records/s, 100 B, acks=all, in process, RF ${replicationFactor}`, {
    clock: whole((RECORDS / clock) * 1000),
    cpu: whole((RECORDS / cpu) * 1000),
    unit: '/s',
    goal,
    limit,
  })
}

async function manyClusters() {
  const { clock, cpu } = await timed(async () => {
    for (let i = 0; i < 1000; i++) await (await createCluster()).close()
  })
  report('1,000 clusters of 3 brokers, started and closed', {
    clock: whole(clock),
    cpu: whole(cpu),
    unit: 'ms',
    goal: '< 1,000 ms',
    limit: 'the starts, and for a third garbage collection, in part on threads of its own',
  })
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
  report('memory of an idle cluster with a topic', {
    clock: whole((heap() - before) / clusters.length / 1024),
    unit: 'KiB',
    goal: '≤ 1,024 KiB',
    limit: 'decoded requests that the journal keeps, connections, four copies of the metadata image, the trace',
  })
  for (const cluster of clusters) await cluster.close()
}

async function idleDays() {
  const cluster = await createCluster({ topics: { t: topic(3) } })
  await cluster.producer().send({ topic: 't', value: 'kept' })
  const { clock, cpu } = await timed(() => cluster.clock.advance(7 * 24 * 3600 * 1000))
  report('seven idle virtual days', {
    clock: clock.toFixed(1),
    cpu: cpu.toFixed(1),
    unit: 'ms',
    goal: '< 1,000 ms',
    limit: 'what is not idle housekeeping: retention, refreshed metadata; time leaps over the rest',
  })
  await cluster.close()
}

await starts('start of 3 brokers, warm', {}, 1500, {
  goal: '≤ 1 ms',
  limit: 'frames: each broker connects, registers, beats and fetches the metadata log; their codecs and promises',
})
await starts('start of 3 listening brokers, warm', { listen: true }, 100, {
  goal: '≤ 5 ms',
  limit: 'the same, and three ports; nothing waits for a timer',
})
await firstAnswers()
await manyClusters()
await idleMemory()
await idleDays()
const perRecord = 'a promise and its reaction for each record, CRC-32C, and garbage collection of what is in flight'
await throughput(1, '≥ 1,000,000', perRecord)
await throughput(3, '≥ 600,000', 'the same, and for each batch of 16 KiB a fetch of each follower')
